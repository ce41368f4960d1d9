//! Where the boxes and arrows of the picture stand, in pixels. The same mesh always stands the same way.

use super::mesh::{Kinds, Mesh};

/// Most clusters that stand in one row with arrows between them; more are told in a table.
pub(super) const MOST_WITH_ARROWS: usize = 4;
/// Most lines of kinds in a box.
pub(super) const MOST_KINDS: usize = 10;
/// Width of a box.
pub(super) const WIDTH: usize = 272;
/// Space between boxes.
pub(super) const GAP: usize = 44;
/// Space around the picture.
pub(super) const MARGIN: usize = 26;
/// Height of the title of a box.
pub(super) const TITLE: usize = 56;
/// Height of a line of a box.
pub(super) const LINE: usize = 24;
/// Height of a gateway.
pub(super) const GATEWAY: usize = 30;
/// Boxes in a row.
const COLUMNS: usize = 4;
/// How far the frame of a network stands from its clusters.
const FRAME: usize = 14;

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// An arrow between two clusters: from and to where, and how far its bow reaches above the boxes, or below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bow {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) y: usize,
    /// Positive above.
    pub(super) reach: isize,
}

/// Where everything stands.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    pub(super) width: usize,
    pub(super) height: usize,
    /// By the positions of clusters.
    pub(super) clusters: Vec<Place>,
    /// By the order of links; none if there are too many clusters.
    pub(super) bows: Vec<Bow>,
    /// Names of networks and the frames around their clusters.
    pub(super) networks: Vec<(String, Place)>,
    /// By the order of modules.
    pub(super) outside: Vec<Place>,
}

impl Shapes {
    /// Lays a mesh out.
    pub(super) fn of(mesh: &Mesh<'_>) -> Self {
        let in_one_row = mesh.clusters.len() <= MOST_WITH_ARROWS;
        let mut shapes = Self::default();
        let arc = |(from, to): &(usize, usize)| from.abs_diff(*to);
        let reach = |above: bool| mesh.links.keys().filter(|link| (link.0 < link.1) == above).map(arc).max().map_or(0, |far| 24 + 26 * far);
        let (above, below) = if in_one_row { (reach(true), reach(false)) } else { (0, 0) };
        let mut y = MARGIN + above + if in_one_row { FRAME + LINE } else { 0 };
        let heights: Vec<usize> = mesh.clusters.iter().map(|cluster| height(&cluster.kinds, cluster.gateways.len())).collect();
        shapes.clusters = rows(&heights, &mut y);
        if in_one_row {
            shapes.networks = networks(mesh, &shapes.clusters);
            shapes.bows = mesh.links.keys().map(|link| bow(mesh, &shapes.clusters, *link)).collect();
            y += below + if shapes.networks.is_empty() { 0 } else { FRAME };
        }
        let heights: Vec<usize> = mesh.outside.values().map(|kinds| height(kinds, 0)).collect();
        shapes.outside = rows(&heights, &mut y);
        let right = shapes.clusters.iter().chain(&shapes.outside).map(|place| place.x + place.width).max().unwrap_or(0);
        shapes.width = right + MARGIN;
        shapes.height = y;
        shapes
    }
}

/// The height of a box.
fn height(kinds: &Kinds<'_>, gateways: usize) -> usize {
    let lines = kinds.len().min(MOST_KINDS);
    TITLE + lines * LINE + gateways * GATEWAY + 10
}

/// Boxes in rows, those of a row equally high; `y` moves below them.
fn rows(heights: &[usize], y: &mut usize) -> Vec<Place> {
    let mut places = Vec::new();
    for row in heights.chunks(COLUMNS) {
        let height = row.iter().copied().max().unwrap_or(0);
        let at = |column: usize| Place { x: MARGIN + column * (WIDTH + GAP), y: *y, width: WIDTH, height };
        places.extend((0..row.len()).map(at));
        *y += height + MARGIN;
    }
    places
}

/// A frame around all neighbours of one network.
fn networks(mesh: &Mesh<'_>, places: &[Place]) -> Vec<(String, Place)> {
    let mut frames: Vec<(String, Place)> = Vec::new();
    for (cluster, place) in mesh.clusters.iter().zip(places) {
        let Some(network) = &cluster.network else { continue };
        if let Some((_, frame)) = frames.last_mut().filter(|(name, _)| name == network) {
            frame.width = place.x + place.width + FRAME - frame.x;
            continue;
        }
        let (x, y) = (place.x - FRAME, place.y - FRAME);
        let (width, height) = (place.width + 2 * FRAME, place.height + 2 * FRAME);
        frames.push((network.clone(), Place { x, y, width, height }));
    }
    frames
}

/// An arrow: to the right above the boxes, to the left below them. Of arrows at one box, none crosses another.
fn bow(mesh: &Mesh<'_>, places: &[Place], (from, to): (usize, usize)) -> Bow {
    let above = from < to;
    let far = from.abs_diff(to);
    let slot = WIDTH / 2 / MOST_WITH_ARROWS;
    // What reaches further stands nearer to the middle where it leaves, and where it arrives.
    let last = mesh.clusters.len().saturating_sub(1).max(1);
    let inner = (last - far.min(last)) * slot + slot;
    let middle = |at: usize| places[at].x + WIDTH / 2;
    let (left, right) = (from.min(to), from.max(to));
    let (start, end) = (middle(left) + inner, middle(right) - inner);
    let bow = isize::try_from(24 + 26 * far).unwrap_or(isize::MAX);
    let y = if above { places[from].y } else { places[from].y + places[from].height };
    let (from, to) = if above { (start, end) } else { (end, start) };
    Bow { from, to, y, reach: if above { bow } else { -bow } }
}
