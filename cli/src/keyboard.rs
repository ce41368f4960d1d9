//! Lines typed at a terminal, with the keys that readers of lines have.

use crate::world::Typed;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use std::io;

/// A line editor. It remembers lines as long as it lives and writes none to a file: what is typed may be a secret.
#[derive(Debug, Default)]
pub(crate) struct Keyboard {
    editor: Option<DefaultEditor>,
}

impl Typed for Keyboard {
    fn line(&mut self, prompt: &str) -> io::Result<Option<String>> {
        let editor = match &mut self.editor {
            Some(editor) => editor,
            none => none.insert(DefaultEditor::new().map_err(io::Error::other)?),
        };
        match editor.readline(prompt) {
            Ok(line) => {
                editor.add_history_entry(&line).map_err(io::Error::other)?;
                Ok(Some(line))
            }
            Err(ReadlineError::Interrupted) => Ok(Some(String::new())),
            Err(ReadlineError::Eof) => Ok(None),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}
