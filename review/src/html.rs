//! A plan as one page for a browser, and what depends on what as another.
//!
//! A page stands by itself: it has its style and its script within it, asks no network for anything, and its policy forbids that. All of
//! its text is there without the script, which only filters it.

mod colour;
mod edges;
mod entries;
mod leaves;
mod listing;
mod markup;
mod mesh;
mod network;
mod page;
mod picture;
mod reach;
mod shapes;
mod summary;
mod values;

pub use edges::Edges;
pub use network::graph;

use engine::plan::Plan;
use entries::Sections;
use markup::Markup;
use mesh::Mesh;
use page::Page;

/// Where a plan comes from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// When it was made, as it is shown.
    pub made: &'a str,
    /// The version of meshplan that shows it.
    pub version: &'a str,
}

/// A plan as one page: how much changes and of which state, a picture of the mesh, and every change with what differs.
pub fn plan(plan: &Plan, origin: Origin<'_>) -> String {
    let mesh = Mesh::of(plan);
    let sections = Sections::of(plan, &mesh);
    let mut body = Markup::default();
    summary::write(&mut body, plan, origin);
    if !mesh.is_empty() {
        body.within("section", &[("id", "mesh"), ("aria-labelledby", "mesh-title")], |body| {
            body.element("h2", &[("id", "mesh-title")], "The mesh");
            picture::write(body, &mesh);
            reach::write(body, &mesh);
        });
    }
    listing::write(&mut body, plan, &sections);
    summary::write_rest(&mut body, plan);
    Page { title: "meshplan: plan", body }.text()
}

#[cfg(test)]
mod tests;
