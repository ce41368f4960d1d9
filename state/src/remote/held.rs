//! Writing to the objects while the lock is held.

use super::claim::{Standing, Taken};
use super::head::{self, Head, segment_name};
use super::heart::Heart;
use super::objects::{LOCK, PARTS, Reach, SEGMENTS, Version};
use crate::backend::Held;
use crate::error::Error;

/// The objects, locked.
pub(crate) struct HeldObjects {
    reach: Reach,
    heart: Option<Heart>,
    head: Head,
    version: Version,
    /// The number of the segment that comes next.
    next: u64,
    /// Whether any segment that counts has lines.
    has_lines: bool,
    /// Whether something was sent of which it is not known what became.
    is_uncertain: bool,
    /// How many states were written, or tried to.
    written: u64,
    /// The text of the state that the head names, once it was read or written.
    text: Option<Vec<u8>>,
}

impl HeldObjects {
    /// Makes what the lock promises true: whoever had it before can write nothing from here on.
    pub(crate) fn begin(reach: Reach, taken: Taken) -> Result<Self, Error> {
        let fence = taken.claim.fence;
        let heart = Heart::start(reach.clone(), taken.claim, taken.version)?;
        let begun = Self::fence_off(&reach, fence).and_then(|(head, version)| {
            let journal = Journal::find(&reach, &head)?;
            let next = if taken.disputed { journal.seal(&reach)? } else { journal.next };
            Ok((head, version, next, journal.has_lines))
        });
        match begun {
            Ok((head, version, next, has_lines)) => {
                let (is_uncertain, written, text) = (false, 0, None);
                Ok(Self { reach, heart: Some(heart), head, version, next, has_lines, is_uncertain, written, text })
            }
            Err(error) => {
                // Nothing was written under this number, and the first failure is what a user should hear of.
                heart.end(Standing::Broken).ok();
                Err(error)
            }
        }
    }

    /// Writes the number into the head.
    fn fence_off(reach: &Reach, fence: u64) -> Result<(Head, Version), Error> {
        loop {
            let (mut head, version) = Head::read(reach)?.map_or((Head::default(), None), |(head, version)| (head, Some(version)));
            if head.fence >= fence {
                return Err(Error::Lost { path: reach.0.name(LOCK), holder: None });
            }
            head.fence = fence;
            if let Some(version) = head.write(reach, version.as_ref())? {
                return Ok((head, version));
            }
        }
    }

    fn lost(&self) -> Error {
        Error::Lost { path: self.reach.0.name(LOCK), holder: self.heart.as_ref().and_then(Heart::taken_by) }
    }

    fn check_heart(&self) -> Result<(), Error> {
        self.heart.as_ref().map_or_else(|| Err(self.lost()), Heart::check)
    }

    /// One segment more, or as many as the text needs, each of which counts once the head is seen to bear our number still. Were that looked
    /// at later, a second one might come to stand among those of a new holder, which cleared the first ones away.
    fn write_segment(&mut self, text: &[u8]) -> Result<(), Error> {
        self.check_heart()?;
        self.has_lines = true;
        self.is_uncertain = true;
        for piece in text.chunks(self.reach.0.largest()) {
            let name = segment_name(self.next);
            // Whatever comes of it, nothing else may have this number.
            self.next += 1;
            let is_ours = self.reach.create(&name, piece)?;
            let now = Head::read(&self.reach)?;
            if !is_ours || now.is_none_or(|(now, _)| now.fence != self.head.fence) {
                return Err(self.lost());
            }
        }
        self.is_uncertain = false;
        Ok(())
    }

    /// Replaces the head. The segments before the next one count no more.
    fn write_head(&mut self, change: impl Fn(&mut Head)) -> Result<(), Error> {
        loop {
            self.check_heart()?;
            let mut head = Head { journal_from: self.next, ..self.head.clone() };
            change(&mut head);
            self.is_uncertain = true;
            if let Some(version) = head.write(&self.reach, Some(&self.version))? {
                (self.head, self.version, self.has_lines, self.is_uncertain) = (head, version, false, false);
                return Ok(());
            }
            // An earlier write of ours may have been carried out although it was reported to have failed.
            match Head::read(&self.reach)? {
                Some((now, version)) if now.fence == self.head.fence => (self.head, self.version) = (now, version),
                _ => return Err(self.lost()),
            }
        }
    }

    /// Deletes what the head names no more.
    fn clear(&self) {
        for prefix in [SEGMENTS, PARTS] {
            let mut names = self.reach.names(prefix).unwrap_or_default();
            names.retain(|name| !self.head.names(name));
            self.reach.clear(&names);
        }
    }
}

/// The segments that are there when the lock is taken.
struct Journal {
    next: u64,
    has_lines: bool,
}

impl Journal {
    fn find(reach: &Reach, head: &Head) -> Result<Self, Error> {
        let numbers = reach.names(SEGMENTS)?.into_iter().filter_map(|name| head::number(&name));
        let last = numbers.filter(|number| *number >= head.journal_from).max();
        Ok(Self { next: last.map_or(head.journal_from, |last| last + 1), has_lines: last.is_some() })
    }

    /// Takes the place of the next segment of the holder before; the number after it.
    fn seal(&self, reach: &Reach) -> Result<u64, Error> {
        let mut number = self.next;
        while !reach.create(&segment_name(number), b"")? {
            number += 1;
        }
        Ok(number + 1)
    }
}

impl Held for HeldObjects {
    fn state(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.text.is_none() {
            self.text = self.head.state(&self.reach)?;
        }
        Ok(self.text.clone())
    }

    fn has_journal(&mut self) -> Result<bool, Error> {
        Ok(self.has_lines)
    }

    fn begin(&mut self, text: &[u8]) -> Result<(), Error> {
        self.drop_journal()?;
        self.write_segment(text)
    }

    fn append(&mut self, lines: &[u8]) -> Result<(), Error> {
        self.write_segment(lines)
    }

    fn replace(&mut self, text: &[u8]) -> Result<(), Error> {
        self.check_heart()?;
        self.written += 1;
        let mut parts = Vec::new();
        for (number, part) in text.chunks(self.reach.0.largest()).enumerate() {
            let name = format!("{PARTS}{}-{}-{number}", self.head.fence, self.written);
            if !self.reach.create(&name, part)? {
                return Err(self.lost());
            }
            parts.push(name);
        }
        self.text = None;
        self.write_head(|head| head.previous = head.state.replace(parts.clone()))?;
        self.text = Some(text.to_vec());
        self.clear();
        Ok(())
    }

    fn drop_journal(&mut self) -> Result<(), Error> {
        if self.has_lines {
            self.write_head(|_| ())?;
            self.clear();
        }
        Ok(())
    }

    fn release(mut self: Box<Self>) -> Result<(), Error> {
        let standing = if self.is_uncertain { Standing::Broken } else { Standing::Free };
        self.heart.take().map_or(Ok(()), |heart| heart.end(standing))
    }
}
