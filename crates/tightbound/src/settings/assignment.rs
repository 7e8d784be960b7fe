//! Turn a configuration file or a `key=value` into assignments that know where they came from.

use std::path::Path;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::SettingsError;
use super::origin::Origin;

/// One setting, one value.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The dotted key, such as `train.epochs`.
    pub key: String,
    /// The value.
    pub value: toml::Value,
    /// Where it was set.
    pub origin: Origin,
}

impl Assignment {
    /// The assignment that a flag stands for.
    pub fn flag(flag: &'static str, key: &str, value: impl Into<toml::Value>) -> Self {
        Self { key: key.to_owned(), value: value.into(), origin: Origin::Flag(flag) }
    }

    /// Reads one `key=value`. The value is TOML; what is no TOML is taken as a bare string.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let refused = || SettingsError::NotAnAssignment(text.to_owned());
        let (key, value) = text.split_once('=').ok_or_else(refused)?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() {
            return Err(refused());
        }
        let value = value
            .parse()
            .unwrap_or_else(|_: toml::de::Error| toml::Value::String(value.to_owned()));
        Ok(Self { key: key.to_owned(), value, origin: Origin::Set })
    }

    /// Reads every setting of the configuration file `text`, which came from `path`.
    pub fn parse_file(text: &str, path: &Path) -> Result<Vec<Self>, SettingsError> {
        let place = Place { text, path };
        place.leaves(place.parse()?)
    }
}

/// A TOML file that is being read, to say where its keys stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// Its content.
    pub(crate) text: &'a str,
    /// The file.
    pub(crate) path: &'a Path,
}

impl<'a> Place<'a> {
    /// Reads the file.
    pub(crate) fn parse(&self) -> Result<DeTable<'a>, SettingsError> {
        let table = DeTable::parse(self.text).map_err(|error| SettingsError::Syntax {
            origin: self.at(error.span().map_or(0, |span| span.start)),
            message: error.message().trim_end().to_owned(),
        })?;
        Ok(table.into_inner())
    }

    /// Where the byte `offset` is.
    pub(crate) fn at(&self, offset: usize) -> Origin {
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Origin::File {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// An assignment for every value in `table` that is not a table itself.
    pub(crate) fn leaves(&self, table: DeTable<'_>) -> Result<Vec<Assignment>, SettingsError> {
        let mut assignments = Vec::new();
        self.collect(table, "", &mut assignments)?;
        Ok(assignments)
    }

    /// Appends the leaves of `table`, whose own key is `prefix`.
    fn collect(
        &self,
        table: DeTable<'_>,
        prefix: &str,
        assignments: &mut Vec<Assignment>,
    ) -> Result<(), SettingsError> {
        for (key, value) in table {
            let dotted = match prefix {
                "" => key.get_ref().to_string(),
                _ => format!("{prefix}.{}", key.get_ref()),
            };
            let span = value.span();
            match value.into_inner() {
                DeValue::Table(inner) => self.collect(inner, &dotted, assignments)?,
                leaf => {
                    let origin = self.at(key.span().start);
                    let deserializer = Spanned::new(span, leaf).into_deserializer();
                    // Only an integer beyond 64 bits can fail here.
                    let value = toml::Value::deserialize(deserializer).map_err(|error| {
                        let message = error.message().trim_end().to_owned();
                        SettingsError::Syntax { origin: origin.clone(), message }
                    })?;
                    assignments.push(Assignment { key: dotted, value, origin });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_toml_or_bare_strings() {
        for (text, key, value) in [
            ("seed=7", "seed", toml::Value::Integer(7)),
            ("adam.epsilon = 1e-8", "adam.epsilon", toml::Value::Float(1e-8)),
            ("data.name=glyphs", "data.name", toml::Value::String("glyphs".into())),
            ("data.name=\"7\"", "data.name", toml::Value::String("7".into())),
            ("data.name=a=b", "data.name", toml::Value::String("a=b".into())),
        ] {
            let assignment = Assignment::parse(text).unwrap();
            assert_eq!((assignment.key.as_str(), assignment.value), (key, value), "{text}");
        }
        let widths = Assignment::parse("model.encoder=[16, 8]").unwrap().value;
        assert_eq!(widths.as_array().unwrap().len(), 2);
        for text in ["epochs", "=3", " = 3"] {
            let refused = SettingsError::NotAnAssignment(text.to_owned());
            assert_eq!(Assignment::parse(text), Err(refused));
        }
    }

    #[test]
    fn settings_of_a_file_know_their_line_and_column() {
        let text = "seed = 3\n[train]\n  epochs = 13\n[data]\nname = \"glyphs\"\n";
        let assignments = Assignment::parse_file(text, Path::new("c.toml")).unwrap();
        let mut places: Vec<_> =
            assignments.iter().map(|a| format!("{} at {}", a.key, a.origin)).collect();
        places.sort_unstable();
        assert_eq!(
            places,
            [
                "data.name at c.toml, line 5, column 1",
                "seed at c.toml, line 1, column 1",
                "train.epochs at c.toml, line 3, column 3",
            ]
        );
    }

    #[test]
    fn a_file_that_is_no_toml_is_refused_with_the_place() {
        let error = Assignment::parse_file("seed = 3\nepochs = = 4\n", Path::new("c.toml"));
        let message = error.unwrap_err().to_string();
        assert!(
            message.starts_with("c.toml, line 2, column 10: not readable as TOML: "),
            "{message}"
        );
    }

    /// An integer beyond 64 bits must not be an internal error.
    #[test]
    fn huge_integers_do_not_panic() {
        let text = "seed = 99999999999999999999999999\n";
        let error = Assignment::parse_file(text, Path::new("c.toml")).unwrap_err().to_string();
        assert!(error.contains("line 1"), "{error}");
    }
}
