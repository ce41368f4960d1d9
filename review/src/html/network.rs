//! What depends on what, as a page: a picture in which what is pointed at shows what it needs and what needs it, and the same in words.

use super::colour::Colour;
use super::edges::{Drawing, Edges, HEIGHT, Node, WIDTH};
use super::markup::Markup;
use super::page::Page;
use crate::notation::cut;
use engine::plan::Plan;

/// Most characters of a name in a node.
const NAME: usize = 32;

/// The graph of a plan as one page. `edges` has every resource with what it needs directly.
pub fn graph(plan: &Plan, edges: &Edges) -> String {
    let drawing = Drawing::of(plan, edges);
    let mut body = Markup::default();
    body.within("header", &[], |body| {
        body.element("h1", &[], "What depends on what");
        let words = "An arrow leads from each resource to what it needs, from right to left; what it needs through others has no arrow. \
                     Members are counted at their set.";
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
        body.element("output", &[("id", "found"), ("aria-live", "polite")], "");
    });
}

fn picture(body: &mut Markup, drawing: &Drawing) {
    let (width, height) = (drawing.width.to_string(), drawing.height.to_string());
    let view = format!("0 0 {width} {height}");
    let words = format!("{} resources; the list below says the same in words", drawing.nodes.len());
    let attributes = [
        ("class", "picture nodes"),
        ("viewBox", &*view),
        ("width", &width),
        ("height", &height),
        ("role", "group"),
        ("aria-label", &words),
    ];
    body.within("div", &[("class", "frame"), ("tabindex", "0"), ("role", "region"), ("aria-label", "Picture of the graph")], |body| {
        body.within("svg", &attributes, |svg| {
            let marker = [
                ("id", "head"),
                ("viewBox", "0 0 8 8"),
                ("refX", "6"),
                ("refY", "4"),
                ("markerWidth", "7"),
                ("markerHeight", "7"),
                ("orient", "auto"),
            ];
            svg.within("defs", &[], |svg| {
                svg.within("marker", &marker, |svg| svg.empty("path", &[("d", "M0 0L8 4L0 8z"), ("class", "fill keep")]));
            });
            for lane in &drawing.lanes {
                let [y, width, height] = [lane.y, drawing.width - 20, lane.height].map(|number| number.to_string());
                svg.empty("rect", &[("class", "lane"), ("x", "10"), ("y", &y), ("width", &width), ("height", &height), ("rx", "10")]);
                svg.element("text", &[("class", "name"), ("x", "24"), ("y", &(lane.y + 23).to_string())], &cut(&lane.label, 80));
            }
            for (at, node) in drawing.nodes.iter().enumerate() {
                node.arrows.iter().for_each(|need| edge(svg, (at, node), (*need, &drawing.nodes[*need])));
            }
            drawing.nodes.iter().enumerate().for_each(|(at, node)| write_node(svg, at, node));
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

fn write_node(svg: &mut Markup, at: usize, node: &Node) {
    let address = node.address.to_string();
    let (id, class) = (format!("n{at}"), format!("node {}", node.colour.word()));
    let words = if node.colour == Colour::Keep { address.clone() } else { format!("{address}: {}", node.colour.word()) };
    let members = if node.members > 0 { format!("  +{} members", node.members) } else { String::new() };
    let name = address.strip_prefix(&*node.address.kind).map_or(&*address, |rest| rest.trim_start_matches('.'));
    let sign = if node.colour == Colour::Keep { "" } else { node.colour.sign() };
    let attributes =
        [("class", &*class), ("id", &id), ("data-address", &address), ("tabindex", "0"), ("role", "img"), ("aria-label", &words)];
    svg.within("g", &attributes, |svg| {
        svg.element("title", &[], &words);
        let [x, y, width, height] = [node.x, node.y, WIDTH, HEIGHT].map(|number| number.to_string());
        svg.empty("rect", &[("x", &x), ("y", &y), ("width", &width), ("height", &height), ("rx", "8")]);
        let (left, right) = ((node.x + 10).to_string(), (node.x + WIDTH - 10).to_string());
        let (above, below) = ((node.y + 17).to_string(), (node.y + 33).to_string());
        svg.element("text", &[("class", "small"), ("x", &left), ("y", &above)], &cut(&format!("{}{members}", node.address.kind), NAME));
        svg.element("text", &[("x", &left), ("y", &below)], &cut(name, NAME));
        svg.element("text", &[("class", &format!("fill sign {}", node.colour.word())), ("x", &right), ("y", &above)], sign);
    });
}

fn words(body: &mut Markup, drawing: &Drawing) {
    body.within("section", &[("aria-labelledby", "words-title")], |body| {
        body.element("h2", &[("id", "words-title")], "In words");
        body.within("ul", &[("class", "needs")], |body| {
            for node in &drawing.nodes {
                body.line();
                body.within("li", &[], |body| {
                    body.element("code", &[], &node.address.to_string());
                    let needs: Vec<String> = node.needs.iter().map(|need| drawing.nodes[*need].address.to_string()).collect();
                    body.text(if needs.is_empty() { " needs nothing" } else { " needs " });
                    for (at, need) in needs.iter().enumerate() {
                        body.text(if at > 0 { ", " } else { "" });
                        body.element("code", &[], need);
                    }
                });
            }
        });
    });
}
