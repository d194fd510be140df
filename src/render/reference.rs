//! Generates the list of columns and the JSON Schema of the output from the registry of fields.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use crate::model::summary::Figure;
use crate::query::field::{FIELDS, FieldInfo, Kind, Shown};
use crate::query::words;
use crate::render::columns::{self, Shape};
use crate::render::fit::GAP;
use crate::render::json;
use crate::render::page::Page;
use crate::render::snapshot;
use crate::render::text::written;

/// The JSON type of a field when it is not null: `string`, `integer`, `boolean` or `array`.
pub const fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer => "integer",
        Kind::Boolean => "boolean",
        Kind::Words | Kind::Numbers | Kind::Texts | Kind::Owners => "array",
        Kind::Object => "object",
        Kind::Word | Kind::Text | Kind::Address | Kind::Hex | Kind::Time => "string",
    }
}

/// The formats that show a field when no columns are named.
fn sets(info: &FieldInfo) -> &'static str {
    match (info.part, info.shown) {
        (Some(place), _) => place.object.name(),
        (None, Shown::Column(_)) => "all, plain",
        (None, Shown::Owners(_)) => "all, plain -p",
        (None, Shown::Nowhere | Shown::Token(_)) => "all",
        (None, Shown::IfNamed) => "named",
    }
}

/// The list of fields: name, type, unit, column sets and meaning. On a terminal of this `width`, meanings wrap at
/// words, and get separate lines if there is little room for them.
pub fn columns(width: Option<usize>) -> String {
    let heading = ["FIELD", "TYPE", "UNIT", "SHOWN IN"].map(str::to_owned);
    let field = |info: &FieldInfo| {
        let unit = if info.unit.is_empty() { "-" } else { info.unit };
        [info.name, type_name(info.kind), unit, sets(info)].map(str::to_owned)
    };
    let rows = std::iter::once(heading).chain(FIELDS.iter().map(field));
    let facts = columns::aligned(rows.map(Vec::from).collect(), &[Shape::default(); 4]);
    let widest = facts.lines().map(UnicodeWidthStr::width).max().unwrap_or(0);
    let indent = widest + GAP;
    let mut page = Page::new(width, 0);
    if width.is_none_or(|width| width >= indent + MEANING_LEAST) {
        let meanings = std::iter::once("MEANING").chain(FIELDS.iter().map(|info| info.meaning));
        for (facts, meaning) in facts.lines().zip(meanings) {
            page.hanging(&format!("{facts:<indent$}"), meaning, indent);
        }
    } else {
        for info in FIELDS {
            let unit = if info.unit.is_empty() { "" } else { ", " };
            let kind = type_name(info.kind);
            page.prose(&format!(
                "{}: {kind}{unit}{} ({})",
                info.name,
                info.unit,
                sets(info)
            ));
            page.hanging("    ", info.meaning, 4);
        }
    }
    page.gap();
    page.prose(
        "all: --json, --jsonl and --csv. plain: --plain with --add or --hide; with owners where it says -p. named: by --columns, --add, --sort or --by.",
    );
    page.finish()
}

/// The minimum room for meanings next to the other facts.
const MEANING_LEAST: usize = 30;

/// The same as a documentation page.
pub fn columns_page() -> String {
    let mut page = String::from(COLUMNS_PAGE);
    for info in FIELDS {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} |",
            info.name,
            type_name(info.kind),
            info.unit,
            sets(info),
            info.meaning
        );
    }
    page
}

const COLUMNS_PAGE: &str = "\
# Columns

<!-- Generated from src/query/field/table.rs: SOCKSTAT_BLESS=1 cargo test --test it generated -->

The fields of `--columns`, `--add` and `--hide`; the same names are JSON keys, CSV headers, and fields of the
[filter language](filter.md). `sockstat columns` prints this list. *all* stands for `--json`, `--jsonl` and `--csv`; *plain* for
`--plain` with `--add` or `--hide`, where owners come with `-p`; *named* for fields that appear only when they are named.

| Field | Type | Unit | Shown in | Meaning |
|---|---|---|---|---|
";

/// The JSON Schema (draft 2020-12) of the document of `--json`; a line of `--jsonl` is its `$defs/socket`, the last line of
/// `snapshot` its `$defs/snapshot`.
pub fn schema() -> String {
    let mut properties = String::new();
    for (index, info) in FIELDS.iter().enumerate() {
        let separator = if index > 0 { ",\n" } else { "" };
        let _ = write!(
            properties,
            "{separator}        {}: {}",
            quoted(info.name),
            property(info)
        );
    }
    let figures: Vec<String> = Figure::ALL
        .iter()
        .map(|figure| {
            format!(
                "        {}: {{ \"type\": [\"integer\", \"null\"], \"minimum\": 0, \"description\": {} }}",
                quoted(figure.name()),
                quoted(figure.meaning())
            )
        })
        .collect();
    let names: Vec<String> = Figure::ALL.iter().map(|figure| quoted(figure.name())).collect();
    SCHEMA
        .replace("PROPERTIES", &properties)
        .replace("FIGURES", &figures.join(",\n"))
        .replace("FIGURE_NAMES", &names.join(", "))
        .replace("SNAPSHOT_SCHEMA", snapshot::SCHEMA)
}

fn property(info: &FieldInfo) -> String {
    let meaning = with_unit(info.meaning, info.unit);
    format!("{{ {}, \"description\": {} }}", type_of(info), quoted(&meaning))
}

/// The type of a field in JSON Schema.
fn type_of(info: &FieldInfo) -> String {
    let listed = || {
        let words: Vec<_> = words(info.field).into_iter().map(quoted).collect();
        words.join(", ")
    };
    match info.kind {
        Kind::Word => format!("\"enum\": [{}, null]", listed()),
        Kind::Words => {
            format!(
                "\"type\": [\"array\", \"null\"], \"items\": {{ \"enum\": [{}] }}",
                listed()
            )
        }
        Kind::Texts => "\"type\": [\"array\", \"null\"], \"items\": { \"type\": \"string\" }".to_owned(),
        Kind::Numbers => {
            "\"type\": [\"array\", \"null\"], \"items\": { \"type\": \"integer\", \"minimum\": 0 }".to_owned()
        }
        Kind::Owners => {
            "\"type\": [\"array\", \"null\"], \"items\": { \"$ref\": \"#/$defs/owner\" }".to_owned()
        }
        Kind::Object => object(info.field.parts()),
        Kind::Integer => "\"type\": [\"integer\", \"null\"], \"minimum\": 0".to_owned(),
        Kind::Time => "\"type\": [\"string\", \"null\"], \"format\": \"date-time\"".to_owned(),
        Kind::Hex => "\"type\": [\"string\", \"null\"], \"pattern\": \"^[0-9a-f]+$\"".to_owned(),
        kind => format!("\"type\": [\"{}\", \"null\"]", type_name(kind)),
    }
}

/// The type of an object with these parts.
fn object(parts: &[FieldInfo]) -> String {
    let names: Vec<_> = parts.iter().map(|part| quoted(part.key)).collect();
    let properties: Vec<_> = parts
        .iter()
        .map(|part| format!("{}: {}", quoted(part.key), property(part)))
        .collect();
    format!(
        "\"type\": [\"object\", \"null\"], \"required\": [{}], \"properties\": {{ {} }}",
        names.join(", "),
        properties.join(", ")
    )
}

fn with_unit(meaning: &str, unit: &str) -> String {
    if unit.is_empty() {
        meaning.to_owned()
    } else {
        format!("{meaning} ({unit})")
    }
}

fn quoted(text: &str) -> String {
    written(|out| json::push_string(out, text.as_bytes()))
}

const SCHEMA: &str = include_str!("schema.template.json");
