//! The picture of the mesh: clusters with what lies in them, networks around them, arrows between them, and what lies in none.

use super::colour::{Colour, Tally};
use super::markup::Markup;
use super::mesh::{Cluster, Kinds, Link, Mesh};
use super::shapes::{Bow, GATEWAY, LINE, MOST_KINDS, Place, Shapes, TITLE};
use crate::notation::cut;

/// Space within a box, left and right.
const INSET: usize = 14;
/// Letters in 73 pixels.
const LETTERS: usize = 10;
/// Most characters of a name in a box.
const NAME: usize = 26;
/// Writes the picture.
pub(super) fn write(markup: &mut Markup, mesh: &Mesh<'_>) {
    let shapes = Shapes::of(mesh);
    let (width, height) = (shapes.width.to_string(), shapes.height.to_string());
    let view = format!("0 0 {width} {height}");
    let what = format!("{} clusters; the table below says the same in words", mesh.clusters.len());
    let attributes =
        [("class", "picture"), ("viewBox", &*view), ("width", &width), ("height", &height), ("role", "group"), ("aria-label", &what)];
    markup.within("div", &[("class", "frame"), ("tabindex", "0"), ("role", "region"), ("aria-label", "Picture of the mesh")], |markup| {
        markup.within("svg", &attributes, |svg| {
            heads(svg);
            for (name, frame) in &shapes.networks {
                network(svg, name, *frame);
            }
            for (at, (cluster, place)) in mesh.clusters.iter().zip(&shapes.clusters).enumerate() {
                write_cluster(svg, (at, cluster), *place);
            }
            for ((ends, link), bow) in mesh.links.iter().zip(&shapes.bows) {
                arrow(svg, mesh, (*ends, link), *bow);
            }
            for ((module, kinds), place) in mesh.outside.iter().zip(&shapes.outside) {
                let title = if module.is_root() { "outside all clusters".to_owned() } else { module.to_string() };
                write_outside(svg, &title, kinds, *place);
            }
        });
    });
    if !shapes.bows.is_empty() {
        let words = "An arrow leads from a cluster to another that something in it refers to, such as the remote secret with which its \
                     istiod reads the other.";
        markup.element("p", &[("class", "note")], words);
    }
}

fn heads(svg: &mut Markup) {
    svg.within("defs", &[], |svg| {
        for colour in Colour::ALL {
            let id = format!("head-{}", colour.word());
            arrow_head(svg, &id, &fill(colour));
        }
    });
}

/// What arrows end in, under an id.
pub(super) fn arrow_head(svg: &mut Markup, id: &str, class: &str) {
    let attributes =
        [("id", id), ("viewBox", "0 0 8 8"), ("refX", "6"), ("refY", "4"), ("markerWidth", "7"), ("markerHeight", "7"), ("orient", "auto")];
    svg.within("marker", &attributes, |svg| svg.empty("path", &[("d", "M0 0L8 4L0 8z"), ("class", class)]));
}

fn fill(colour: Colour) -> String {
    format!("fill {}", colour.word())
}

fn network(svg: &mut Markup, name: &str, frame: Place) {
    rectangle(svg, "network", frame, 16);
    text(svg, "network-name", (frame.x + 16, frame.y.saturating_sub(7)), &cut(name, 60));
}

fn write_cluster(svg: &mut Markup, (at, cluster): (usize, &Cluster<'_>), place: Place) {
    let first = cluster.tally.first();
    let target = format!("#place-{at}");
    let words = format!("{}: {}", cluster.address, cluster.tally.words());
    svg.within("a", &[("href", &target), ("class", &format!("box {}", first.word())), ("aria-label", &words)], |svg| {
        svg.element("title", &[], &words);
        rectangle(svg, "outline", place, 10);
        text(svg, "name", (place.x + INSET, place.y + 25), &cut(&cluster.label, NAME - 4));
        let network = cluster.network.iter().map(|network| format!(" · {network}"));
        let below = std::iter::once(cluster.address.kind.to_string()).chain(network).collect::<String>();
        text(svg, "small", (place.x + INSET, place.y + 44), &cut(&below, NAME + 6));
        if cluster.own != Colour::Keep {
            badge(svg, (place.x + place.width - INSET, place.y + 13), cluster.own, cluster.own.word());
        }
        let y = write_kinds(svg, &cluster.kinds, (place.x, place.y + TITLE));
        for (number, gateway) in cluster.gateways.iter().enumerate() {
            write_gateway(svg, gateway, (place, y + number * GATEWAY));
        }
    });
}

fn write_outside(svg: &mut Markup, title: &str, kinds: &Kinds<'_>, place: Place) {
    let first = kinds.values().map(Tally::first).min().unwrap_or(Colour::Keep);
    svg.within("a", &[("href", "#outside"), ("class", &format!("box outside {}", first.word())), ("aria-label", title)], |svg| {
        svg.element("title", &[], title);
        rectangle(svg, "outline", place, 10);
        text(svg, "name", (place.x + INSET, place.y + 32), &cut(title, NAME + 2));
        write_kinds(svg, kinds, (place.x, place.y + TITLE));
    });
}

/// A line for each kind, those that change first; what lies below them begins where this ends.
fn write_kinds(svg: &mut Markup, kinds: &Kinds<'_>, (x, mut y): (usize, usize)) -> usize {
    let mut sorted: Vec<_> = kinds.iter().collect();
    sorted.sort_by_key(|(kind, tally)| (tally.first(), **kind));
    let shown = if sorted.len() > MOST_KINDS { MOST_KINDS - 1 } else { sorted.len() };
    for (kind, tally) in sorted.iter().take(shown) {
        let class = if tally.first() == Colour::Keep { "kind quiet" } else { "kind" };
        let mut right = x + super::shapes::WIDTH - INSET;
        for (colour, count) in tally.changing().collect::<Vec<_>>().into_iter().rev() {
            right = badge(svg, (right, y + 3), colour, &count.to_string()) - 4;
        }
        let kept = tally.of(Colour::Keep);
        if kept > 0 && tally.first() == Colour::Keep {
            text(svg, "count", (right, y + 16), &kept.to_string());
            right -= 24;
        }
        text(svg, class, (x + INSET, y + 16), &cut(kind, (right - x - INSET) * LETTERS / 73));
        y += LINE;
    }
    if sorted.len() > shown {
        text(svg, "kind quiet", (x + INSET, y + 16), &format!("and {} more kinds", sorted.len() - shown));
        y += LINE;
    }
    y
}

/// A filled label that ends at a point; where it begins comes back.
fn badge(svg: &mut Markup, (right, y): (usize, usize), colour: Colour, words: &str) -> usize {
    let label = format!("{} {words}", colour.sign());
    let width = 12 + label.chars().count() * 7;
    let x = right.saturating_sub(width);
    rectangle(svg, &fill(colour), Place { x, y, width, height: 18 }, 9);
    text(svg, "badge", (x + width / 2, y + 13), &label);
    x
}

fn write_gateway(svg: &mut Markup, (colour, address): &(Colour, Option<String>), (place, y): (Place, usize)) {
    let within = Place { x: place.x + INSET, y: y + 2, width: place.width - 2 * INSET, height: GATEWAY - 5 };
    rectangle(svg, &format!("gateway stroke {}", colour.word()), within, 12);
    let words = format!("⇄ {}", address.as_deref().unwrap_or("gateway"));
    text(svg, "kind", (within.x + 10, within.y + 17), &cut(&words, NAME - 1));
    if *colour != Colour::Keep {
        badge(svg, (within.x + within.width - 4, within.y + 4), *colour, "");
    }
}

fn arrow(svg: &mut Markup, mesh: &Mesh<'_>, ((from, to), link): ((usize, usize), &Link), bow: Bow) {
    let colour = link.tally.first();
    let y = isize::try_from(bow.y).unwrap_or_default();
    // The head ends at the box.
    let (gap, end) = if bow.reach > 0 { (-1, -3) } else { (1, 3) };
    let bent = y - bow.reach * 4 / 3;
    let path = format!("M{} {}C{} {bent} {} {bent} {} {}", bow.from, y + gap, bow.from, bow.to, bow.to, y + end);
    let words = format!("{} to {}: {}", mesh.clusters[from].label, mesh.clusters[to].label, link.addresses.join(", "));
    let head = format!("url(#head-{})", colour.word());
    svg.within("g", &[("class", &format!("arrow stroke {}", colour.word()))], |svg| {
        svg.element("title", &[], &cut(&words, 400));
        svg.empty("path", &[("d", &path), ("marker-end", &head)]);
    });
    if colour != Colour::Keep {
        let middle = usize::midpoint(bow.from, bow.to);
        let top = usize::try_from(y - bow.reach).unwrap_or_default();
        let badge_y = top.saturating_sub(9);
        let words = link.tally.of(colour).to_string();
        badge(svg, (middle + 13, badge_y), colour, &words);
    }
}

fn rectangle(svg: &mut Markup, class: &str, place: Place, round: usize) {
    let [x, y, width, height, round] = [place.x, place.y, place.width, place.height, round].map(|number| number.to_string());
    svg.empty("rect", &[("class", class), ("x", &x), ("y", &y), ("width", &width), ("height", &height), ("rx", &round)]);
}

fn text(svg: &mut Markup, class: &str, (x, y): (usize, usize), words: &str) {
    svg.element("text", &[("class", class), ("x", &x.to_string()), ("y", &y.to_string())], words);
}
