//! What a plan leaves open: ephemeral inputs by their names, and what is made of them before anything is applied.

use super::super::words_v1::{Words, is_false};
use super::expressions::{Expressions, Listing};
use super::providers::NameV1;
use super::values::{At, TypeV1, Values, Writing, present};
use engine::plan::{Hole, Holes};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct HolesV1 {
    inputs: Vec<HoleV1>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    settings: Vec<(NameV1, Vec<(Words, u32)>)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HoleV1 {
    name: Words,
    #[serde(rename = "type")]
    ty: TypeV1,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    default: Option<At>,
    #[serde(default, skip_serializing_if = "is_false")]
    nullable: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    sensitive: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    validations: Vec<(u32, u32)>,
}

impl HolesV1 {
    /// Whether nothing is left open.
    pub(super) fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    pub(super) fn of(holes: &Holes, values: &mut Writing<'_>, listing: &mut Listing) -> Self {
        let inputs = holes.inputs.iter().map(|(name, hole)| HoleV1 {
            name: Words(name.clone()),
            ty: values.ty(&hole.ty),
            default: hole.default.as_ref().map(|default| values.put(default)),
            nullable: hole.nullable,
            sensitive: hole.sensitive,
            validations: hole
                .validations
                .iter()
                .map(|(condition, message)| (listing.put(condition, values), listing.put(message, values)))
                .collect(),
        });
        let inputs = inputs.collect();
        let settings = holes.settings.iter().map(|(provider, settings)| {
            let settings = settings.iter().map(|(name, expression)| (Words(name.clone()), listing.put(expression, values)));
            (provider.into(), settings.collect())
        });
        Self { inputs, settings: settings.collect() }
    }

    pub(super) fn read(self, values: &Values<'_>, expressions: &mut Expressions<'_>) -> Result<Holes, String> {
        let mut holes = Holes::default();
        for stored in self.inputs {
            let validations =
                stored.validations.into_iter().map(|(condition, message)| Ok((expressions.take(condition)?, expressions.take(message)?)));
            let hole = Hole {
                ty: values.ty(stored.ty)?,
                default: stored.default.map(|default| values.get(&default)).transpose()?,
                nullable: stored.nullable,
                sensitive: stored.sensitive,
                validations: validations.collect::<Result<_, String>>()?,
            };
            holes.inputs.insert(stored.name.0, hole);
        }
        for (provider, settings) in self.settings {
            let settings = settings.into_iter().map(|(name, expression)| Ok((name.0, expressions.take(expression)?)));
            holes.settings.insert(provider.into(), settings.collect::<Result<_, String>>()?);
        }
        Ok(holes)
    }
}
