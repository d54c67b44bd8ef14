//! Rows of tables as a stream of bytes: what is sealed into a backup's files.
//!
//! A table begins with `T`, its database and name and the names of its columns; each row is `R` and
//! its values; the stream ends with `E` and the number of rows, so that a stream cut between two
//! rows is not taken for a whole one. Lengths and counts are big-endian. No schema: the tables that
//! it is read into are made by migrations, and a column that they do not have is refused.

use std::io::{Error, ErrorKind, Read, Result, Write};

use crate::{Row, Value};

/// Larger texts and blobs than this are not in any table: a damaged length must not fill the memory.
const VALUE_MAX: u32 = 64 * 1024 * 1024;

/// More columns than this no table has.
const COLUMNS_MAX: u8 = 64;

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// Writes tables.
pub(super) struct RowsWriter<W: Write> {
    out: W,
    rows: u64,
}

impl<W: Write> RowsWriter<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { out, rows: 0 }
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let length = u32::try_from(bytes.len()).ok().filter(|it| *it <= VALUE_MAX);
        let length = length.ok_or_else(|| invalid("a value is too large for a backup"))?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(bytes)
    }

    /// Begins a table.
    pub(super) fn table(&mut self, name: &str, columns: &[String]) -> Result<()> {
        self.out.write_all(b"T")?;
        self.bytes(name.as_bytes())?;
        let count = u8::try_from(columns.len()).map_err(|_| invalid("too many columns"))?;
        self.out.write_all(&[count])?;
        columns.iter().try_for_each(|it| self.bytes(it.as_bytes()))
    }

    /// Adds a row to the table.
    pub(super) fn row(&mut self, row: &Row) -> Result<()> {
        self.out.write_all(b"R")?;
        self.rows += 1;
        for value in &row.0 {
            match value {
                Value::Null => self.out.write_all(&[0])?,
                Value::Int(it) => {
                    self.out.write_all(&[1])?;
                    self.out.write_all(&it.to_be_bytes())?;
                }
                Value::Text(it) => {
                    self.out.write_all(&[2])?;
                    self.bytes(it.as_bytes())?;
                }
                Value::Bytes(it) => {
                    self.out.write_all(&[3])?;
                    self.bytes(it)?;
                }
            }
        }
        Ok(())
    }

    /// Ends the stream; gives what it was written to.
    pub(super) fn finish(mut self) -> Result<W> {
        self.out.write_all(b"E")?;
        self.out.write_all(&self.rows.to_be_bytes())?;
        Ok(self.out)
    }
}

/// What comes next in a stream.
#[derive(Debug, PartialEq)]
pub(super) enum Item {
    /// A table with its columns: rows follow.
    Table(String, Vec<String>),
    /// A row of the table that began last.
    Row(Vec<Value>),
}

/// Reads tables.
pub(super) struct RowsReader<R: Read> {
    from: R,
    columns: usize,
    rows: u64,
}

impl<R: Read> RowsReader<R> {
    pub(super) const fn new(from: R) -> Self {
        Self { from, columns: 0, rows: 0 }
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn bytes(&mut self) -> Result<Vec<u8>> {
        let length = u32::from_be_bytes(self.fixed()?);
        if length > VALUE_MAX {
            return Err(invalid("a value is too large"));
        }
        let length = usize::try_from(length).map_err(|_| invalid("a value is too large"))?;
        // Grows with what really comes, whatever length was announced.
        let mut bytes = Vec::with_capacity(length.min(64 * 1024));
        let wanted = u64::try_from(length).unwrap_or(u64::MAX);
        let found = (&mut self.from).take(wanted).read_to_end(&mut bytes)?;
        if found == length { Ok(bytes) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    fn text(&mut self) -> Result<String> {
        String::from_utf8(self.bytes()?).map_err(|_| invalid("a text is not UTF-8"))
    }

    fn value(&mut self) -> Result<Value> {
        Ok(match self.fixed()? {
            [0] => Value::Null,
            [1] => Value::Int(i64::from_be_bytes(self.fixed()?)),
            [2] => Value::Text(self.text()?),
            [3] => Value::Bytes(self.bytes()?),
            _ => return Err(invalid("no kind of value")),
        })
    }

    /// The next table or row; `None` at the end, which is checked.
    pub(super) fn next(&mut self) -> Result<Option<Item>> {
        match &self.fixed()? {
            b"T" => {
                let name = self.text()?;
                let [count] = self.fixed()?;
                if count > COLUMNS_MAX {
                    return Err(invalid("too many columns"));
                }
                let columns: Vec<String> =
                    (0..count).map(|_| self.text()).collect::<Result<_>>()?;
                self.columns = columns.len();
                Ok(Some(Item::Table(name, columns)))
            }
            b"R" if self.columns > 0 => {
                self.rows += 1;
                (0..self.columns)
                    .map(|_| self.value())
                    .collect::<Result<_>>()
                    .map(Item::Row)
                    .map(Some)
            }
            b"E" if self.rows == u64::from_be_bytes(self.fixed()?) => Ok(None),
            b"E" => Err(invalid("rows are missing")),
            _ => Err(invalid("neither a table nor a row")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(rows: &[Vec<Value>]) -> Vec<u8> {
        let mut writer = RowsWriter::new(Vec::new());
        writer.table("identity.event", &["a".to_owned(), "b".to_owned()]).unwrap();
        for row in rows {
            writer.row(&Row(row.clone())).unwrap();
        }
        writer.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Vec<Item>> {
        let mut reader = RowsReader::new(bytes);
        let mut items = Vec::new();
        while let Some(item) = reader.next()? {
            items.push(item);
        }
        Ok(items)
    }

    #[test]
    fn rows_come_back_as_they_were_and_a_cut_anywhere_is_noticed() {
        let rows = vec![
            vec![Value::Null, Value::Int(-7)],
            vec![Value::Text("해태".to_owned()), Value::Bytes(vec![0, 255])],
        ];
        let bytes = written(&rows);
        let columns = vec!["a".to_owned(), "b".to_owned()];
        let mut wanted = vec![Item::Table("identity.event".to_owned(), columns)];
        wanted.extend(rows.into_iter().map(Item::Row));
        assert_eq!(read(&bytes).unwrap(), wanted);
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "cut at {length}");
        }
    }

    proptest! {
        #[test]
        fn bytes_from_anywhere_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
        }
    }
}
