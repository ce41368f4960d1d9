//! What depends on what, as a page: a picture in which what is pointed at shows what it needs and what needs it, and the same in words.

use super::colour::Colour;
use super::edges::{Drawing, Edges, HEIGHT, Lane, Node, WIDTH};
use super::markup::Markup;
use super::page::Page;
use super::picture::arrow_head;
use crate::notation::cut;
use engine::plan::Plan;

/// Most characters of a name in a node.
const NAME: usize = 32;
/// Most resources that are all shown at first; of more only what each cluster and module comes to is.
const MOST_UNFOLDED: usize = 120;

/// The graph of a plan as one page. `edges` has every resource with what it needs directly.
pub fn graph(plan: &Plan, edges: &Edges) -> String {
    let drawing = Drawing::of(plan, edges);
    let mut body = Markup::default();
    body.within("header", &[], |body| {
        body.element("h1", &[], "What depends on what");
        let words = "An arrow leads from each resource to what it needs, from right to left; what it needs through others has no arrow. \
                     Members are counted at their set. A cluster or module opens and closes by its name.";
        body.element("p", &[("class", "note")], words);
    });
    find(&mut body);
    if drawing.nodes.is_empty() {
        body.element("p", &[("class", "note")], "There are no resources.");
    } else {
        picture(&mut body, &drawing);
        words(&mut body, &drawing);
    }
    Page { title: "meshplan: graph", body }.text()
}

fn find(body: &mut Markup) {
    body.within("form", &[("id", "find"), ("role", "search"), ("hidden", "")], |body| {
        body.within("label", &[("class", "wide")], |body| {
            body.element("span", &[], "Search");
            body.empty("input", &[("id", "q"), ("type", "search"), ("autocomplete", "off"), ("placeholder", "words in addresses  ( / )")]);
        });
        for (id, words) in [("unfold", "Unfold all"), ("fold", "Fold all")] {
            body.element("button", &[("id", id), ("type", "button")], words);
        }
        body.element("output", &[("id", "found"), ("aria-live", "polite")], "");
    });
}

fn picture(body: &mut Markup, drawing: &Drawing) {
    let (width, height) = (drawing.width.to_string(), drawing.height.to_string());
    let view = format!("0 0 {width} {height}");
    let words = format!("{} resources; the list below says the same in words", drawing.nodes.len());
    let fold = if drawing.nodes.len() > MOST_UNFOLDED { "folded" } else { "unfolded" };
    let attributes = [
        ("class", "picture nodes"),
        ("data-begin", fold),
        ("viewBox", &*view),
        ("width", &width),
        ("height", &height),
        ("role", "group"),
        ("aria-label", &words),
    ];
    body.within("div", &[("class", "frame"), ("tabindex", "0"), ("role", "region"), ("aria-label", "Picture of the graph")], |body| {
        body.within("svg", &attributes, |svg| {
            svg.within("defs", &[], |svg| arrow_head(svg, "head", "fill keep"));
            drawing.lanes.iter().enumerate().for_each(|(at, lane)| write_lane(svg, drawing, (at, lane)));
            for (at, node) in drawing.nodes.iter().enumerate() {
                node.arrows.iter().for_each(|need| edge(svg, (at, node), (*need, &drawing.nodes[*need])));
            }
            for (at, lane) in drawing.lanes.iter().enumerate() {
                let attributes =
                    [("class", "lane-nodes"), ("data-lane", &*format!("l{at}")), ("transform", &format!("translate(0 {})", lane.y))];
                svg.within("g", &attributes, |svg| {
                    let within = drawing.nodes.iter().enumerate().filter(|(_, node)| node.lane == at);
                    within.for_each(|(at, node)| write_node(svg, (at, node), node.y - lane.y));
                });
            }
        });
    });
}

/// The box of a lane, and its name, with what becomes of what stands in it, by which it opens and closes.
fn write_lane(svg: &mut Markup, drawing: &Drawing, (at, lane): (usize, &Lane)) {
    let (id, move_to, height) = (format!("l{at}"), format!("translate(0 {})", lane.y), lane.height.to_string());
    let count: usize = drawing.nodes.iter().filter(|node| node.lane == at).count();
    let resources = if count == 1 { "1 resource".to_owned() } else { format!("{count} resources") };
    let needs: Vec<String> = lane.needs.iter().map(|(other, count)| format!("{count} of {}", drawing.lanes[*other].label)).collect();
    let needs = if needs.is_empty() { String::new() } else { format!("; needs {}", needs.join(", ")) };
    let words = format!("{}: {resources}, {}{needs}", lane.label, lane.tally.words());
    svg.within("g", &[("class", "lane"), ("id", &id), ("data-height", &height), ("transform", &move_to)], |svg| {
        let width = (drawing.width - 20).to_string();
        svg.empty("rect", &[("class", "outline"), ("x", "10"), ("y", "0"), ("width", &width), ("height", &height), ("rx", "10")]);
        let attributes =
            [("class", "lane-title"), ("tabindex", "0"), ("role", "button"), ("aria-expanded", "true"), ("aria-label", &words)];
        svg.within("g", &attributes, |svg| {
            svg.element("title", &[], &words);
            svg.empty("rect", &[("class", "hit"), ("x", "14"), ("y", "4"), ("width", "420"), ("height", "30"), ("rx", "7")]);
            svg.element("text", &[("class", "turn"), ("x", "22"), ("y", "23")], "▾");
            svg.within("text", &[("x", "38"), ("y", "23")], |svg| {
                svg.element("tspan", &[("class", "name")], &cut(&lane.label, 60));
                svg.element("tspan", &[("class", "small"), ("dx", "10")], &resources);
                for (colour, count) in lane.tally.changing() {
                    let class = format!("fill {}", colour.word());
                    svg.element("tspan", &[("class", &class), ("dx", "10")], &format!("{} {count} {}", colour.sign(), colour.word()));
                }
                svg.element("tspan", &[("class", "hits"), ("dx", "10")], "");
            });
        });
    });
}

fn edge(svg: &mut Markup, (from, node): (usize, &Node), (to, need): (usize, &Node)) {
    let (x1, y1, x2, y2) = (node.x, node.y + HEIGHT / 2, need.x + WIDTH + 3, need.y + HEIGHT / 2);
    let bend = x1.abs_diff(x2) / 2;
    let path = format!("M{x1} {y1}C{} {y1} {} {y2} {x2} {y2}", x1.saturating_sub(bend), x2 + bend);
    let (from, to) = (format!("n{from}"), format!("n{to}"));
    svg.empty("path", &[("class", "edge"), ("data-from", &from), ("data-to", &to), ("d", &path), ("marker-end", "url(#head)")]);
}

/// A node; `y` is counted from the top of its lane.
fn write_node(svg: &mut Markup, (at, node): (usize, &Node), y: usize) {
    let address = node.address.to_string();
    let (id, class) = (format!("n{at}"), format!("node {}", node.colour.word()));
    let words = if node.colour == Colour::Keep { address.clone() } else { format!("{address}: {}", node.colour.word()) };
    let members = if node.members > 0 { format!("  +{} members", node.members) } else { String::new() };
    let name = address.strip_prefix(&*node.address.kind).map_or(&*address, |rest| rest.trim_start_matches('.'));
    let sign = if node.colour == Colour::Keep { "" } else { node.colour.sign() };
    let mut attributes = vec![("class", &*class), ("id", &id), ("data-address", &address), ("tabindex", "0"), ("role", "img")];
    attributes.push(("aria-label", &words));
    svg.within("g", &attributes, |svg| {
        svg.element("title", &[], &words);
        let (above, below) = ((y + 17).to_string(), (y + 33).to_string());
        let [x, y, width, height] = [node.x, y, WIDTH, HEIGHT].map(|number| number.to_string());
        svg.empty("rect", &[("x", &x), ("y", &y), ("width", &width), ("height", &height), ("rx", "8")]);
        let (left, right) = ((node.x + 10).to_string(), (node.x + WIDTH - 10).to_string());
        svg.element("text", &[("class", "small"), ("x", &left), ("y", &above)], &cut(&format!("{}{members}", node.address.kind), NAME));
        svg.element("text", &[("x", &left), ("y", &below)], &cut(name, NAME));
        svg.element("text", &[("class", &format!("fill sign {}", node.colour.word())), ("x", &right), ("y", &above)], sign);
    });
}

fn words(body: &mut Markup, drawing: &Drawing) {
    body.within("section", &[("aria-labelledby", "words-title")], |body| {
        body.element("h2", &[("id", "words-title")], "In words");
        for (at, lane) in drawing.lanes.iter().enumerate() {
            let mut attributes = vec![("class", "lane-words")];
            if drawing.nodes.len() <= MOST_UNFOLDED {
                attributes.push(("open", ""));
            }
            body.line();
            body.within("details", &attributes, |body| {
                body.within("summary", &[], |body| body.element("h3", &[], &lane.label));
                body.within("ul", &[("class", "needs")], |body| {
                    drawing.nodes.iter().filter(|node| node.lane == at).for_each(|node| sentence(body, drawing, node));
                });
            });
        }
    });
}

fn sentence(body: &mut Markup, drawing: &Drawing, node: &Node) {
    body.line();
    body.within("li", &[], |body| {
        body.element("code", &[], &node.address.to_string());
        body.text(if node.needs.is_empty() { " needs nothing" } else { " needs " });
        for (at, need) in node.needs.iter().enumerate() {
            body.text(if at > 0 { ", " } else { "" });
            body.element("code", &[], &drawing.nodes[*need].address.to_string());
        }
    });
}
