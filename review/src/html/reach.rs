//! What the picture shows, in tables: how much changes in each cluster, and with many clusters which of them refer to which.

use super::colour::{Colour, Tally};
use super::markup::Markup;
use super::mesh::Mesh;
use super::shapes::MOST_WITH_ARROWS;

/// Writes how much changes in each cluster, what weighs most first.
pub(super) fn by_cluster(markup: &mut Markup, mesh: &Mesh<'_>) {
    if mesh.clusters.is_empty() {
        return;
    }
    let used: Vec<Colour> =
        Colour::ALL.into_iter().filter(|colour| mesh.clusters.iter().any(|cluster| cluster.tally.of(*colour) > 0)).collect();
    markup.within("div", &[("class", "frame")], |markup| {
        markup.within("table", &[("class", "counts")], |markup| {
            markup.element("caption", &[], "What changes in each cluster");
            markup.within("tr", &[], |markup| {
                for name in ["cluster", "network"] {
                    markup.element("th", &[("scope", "col")], name);
                }
                for colour in &used {
                    markup.element("th", &[("scope", "col"), ("class", "number")], colour.word());
                }
            });
            for (at, cluster) in mesh.clusters.iter().enumerate() {
                markup.line();
                markup.within("tr", &[], |markup| {
                    markup.within("th", &[("scope", "row")], |markup| {
                        markup.element("a", &[("href", &format!("#place-{at}"))], &cluster.label);
                    });
                    markup.element("td", &[], cluster.network.as_deref().unwrap_or(""));
                    for colour in &used {
                        number(markup, &cluster.tally, *colour);
                    }
                });
            }
        });
    });
}

fn number(markup: &mut Markup, tally: &Tally, colour: Colour) {
    let count = tally.of(colour);
    let class = if count > 0 { format!("number {}", colour.word()) } else { "number none".to_owned() };
    let words = if count > 0 { format!("{} {count}", colour.sign()) } else { "–".to_owned() };
    markup.element("td", &[("class", &class)], &words);
}

/// Writes which cluster refers to which, where there are too many for arrows.
pub(super) fn matrix(markup: &mut Markup, mesh: &Mesh<'_>) {
    if mesh.clusters.len() <= MOST_WITH_ARROWS || mesh.links.is_empty() {
        return;
    }
    let caption = "Which cluster refers to which: a row to a column, such as with the remote secret with which its istiod reads the other";
    markup.within("div", &[("class", "frame")], |markup| {
        markup.within("table", &[("class", "matrix")], |markup| {
            markup.element("caption", &[], caption);
            markup.within("tr", &[], |markup| {
                markup.element("td", &[], "");
                for cluster in &mesh.clusters {
                    markup.element("th", &[("scope", "col")], &cluster.label);
                }
            });
            for (from, cluster) in mesh.clusters.iter().enumerate() {
                markup.line();
                markup.within("tr", &[], |markup| {
                    markup.element("th", &[("scope", "row")], &cluster.label);
                    for to in 0..mesh.clusters.len() {
                        match mesh.links.get(&(from, to)) {
                            Some(link) => {
                                let first = link.tally.first();
                                let attributes = [("class", &*format!("cell {}", first.word())), ("title", &link.addresses.join(", "))];
                                markup.element("td", &attributes, first.sign());
                            }
                            None => markup.element("td", &[("class", "cell none")], if from == to { "" } else { "·" }),
                        }
                    }
                });
            }
        });
    });
}
