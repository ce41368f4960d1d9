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
mod problems;
mod reach;
mod rows;
mod shapes;
mod summary;
mod values;

pub use edges::Edges;
pub use network::graph;

use crate::entry::Detail;
use crate::review::Review;
use engine::plan::Plan;
use engine::source::SourceTree;
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
    /// The texts that its problems lie in.
    pub sources: &'a SourceTree,
}

/// A plan as one page: how much changes, where and of which state, a picture of the mesh, and every change with what differs.
pub fn plan(plan: &Plan, origin: Origin<'_>) -> String {
    let mesh = Mesh::of(plan);
    let review = Review::of(plan);
    let entries = review.entries(Detail::Folded);
    let sections = Sections::of(plan, &review, &entries);
    let mut body = Markup::default();
    summary::write(&mut body, plan, origin);
    problems::write(&mut body, plan, origin.sources);
    if !mesh.is_empty() {
        body.within("section", &[("id", "mesh"), ("aria-labelledby", "mesh-title")], |body| {
            body.element("h2", &[("id", "mesh-title")], "The mesh");
            reach::by_cluster(body, &mesh);
            picture::write(body, &mesh);
            reach::matrix(body, &mesh);
        });
    }
    listing::write(&mut body, plan, (&review, &mesh), &sections);
    summary::write_rest(&mut body, plan);
    Page { title: "meshplan: plan", body }.text()
}

#[cfg(test)]
mod tests;
