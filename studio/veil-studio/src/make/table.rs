//! A table of fields: one video a row.
//!
//! Owns: how CSV is read, and the bound. Refuses to know: what fields are for.

use std::collections::BTreeMap;

use super::document::FIELDS_MAX;
use super::error::Fault;

/// Most rows.
pub const ROWS_MAX: usize = 10_000;

/// Reads a table (RFC 4180, with a first row of names) as the fields of each row.
///
/// # Errors
/// [`Fault`] with the row, for what is no table, has no rows or too many, or two columns of one name.
pub fn rows(bytes: &[u8]) -> Result<Vec<BTreeMap<String, String>>, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(bytes);
    let odd = |error: csv::Error| {
        let row = error.position().map_or(0, csv::Position::line);
        Fault::new(format!("line {row}"), error.to_string())
    };
    let names = reader.headers().map_err(odd)?.clone();
    if names.len() > FIELDS_MAX {
        return Err(Fault::new("line 1", format!("has more than {FIELDS_MAX} columns")));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(odd)?;
        if rows.len() == ROWS_MAX {
            return Err(Fault::new("", format!("the table has more than {ROWS_MAX} rows")));
        }
        let pairs = names.iter().zip(record.iter());
        let row: BTreeMap<String, String> =
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        if row.len() < names.len() {
            return Err(Fault::new("line 1", "has two columns of one name"));
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Err(Fault::new("", "the table has no rows"));
    }
    Ok(rows)
}

/// A value as a part of a file's name: letters, digits, `-`, `_` and dots inside; everything else is `_`.
#[must_use]
pub fn file_part(value: &str) -> String {
    let fine = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    let mut part: String = value.trim().chars().take(60).map(fine).collect();
    while part.starts_with('.') {
        part.remove(0);
    }
    if part.is_empty() { "_".to_owned() } else { part }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_its_fields() {
        let rows = rows(b"name, day\n\"Ann, B\",Monday\nBob,\n").unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0]["name"].as_str(), rows[0]["day"].as_str()), ("Ann, B", "Monday"));
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_line() {
        for (table, words) in [
            (&b"a,b\n1\n"[..], "line 2"),
            (b"a,a\n1,2\n", "two columns"),
            (b"a\n", "no rows"),
            (b"", "no rows"),
            (b"a\n\xff\n", "line 2"),
        ] {
            let fault = rows(table).unwrap_err().to_string();
            assert!(fault.contains(words), "{fault}");
        }
    }

    #[test]
    fn a_value_leads_to_no_other_folder() {
        for (value, part) in
            [("../../etc/x", "_.._etc_x"), ("", "_"), ("..", "_"), ("Ann B", "Ann_B"), ("兔", "兔")]
        {
            assert_eq!(file_part(value), part);
        }
    }
}
