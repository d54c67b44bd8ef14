//! One INSERT of one row, said of many rows at once.
//!
//! `INSERT INTO t (region, a) VALUES ($1, $2) …` becomes `… VALUES ($1, $2), ($1, $3), …`: the region
//! is bound once. Multi-row `VALUES` and nothing cleverer: on a sharded cluster `COPY`, `INSERT …
//! SELECT unnest()` and writing CTEs make a one-region commit a two-phase commit, which leaves a region
//! locked after a crash; this stays one-phase.

/// An INSERT text taken apart around its one VALUES tuple.
#[derive(Debug)]
pub(super) struct Insert<'a> {
    head: &'a str,
    tuple: &'a str,
    tail: &'a str,
    /// Parameters after `$1`, which is the region.
    width: usize,
}

/// What a statement may bind: the protocol counts parameters in 16 bits.
const PARAMETERS_MAX: usize = 65_535;
/// Rows of one statement, largest first. Few sizes, so that few texts are prepared.
const SIZES: [usize; 6] = [1_024, 256, 64, 16, 4, 1];

impl<'a> Insert<'a> {
    /// `None` where the text is no INSERT of one tuple of `$1` … `$n`.
    pub(super) fn of(sql: &'a str) -> Option<Self> {
        let from =
            sql.starts_with("INSERT INTO ").then(|| sql.find("VALUES ("))?? + "VALUES ".len();
        let until = from + sql.get(from..)?.find(')')? + 1;
        let (head, tuple, tail) = (sql.get(..from)?, sql.get(from..until)?, sql.get(until..)?);
        let numbers: Vec<usize> = numbers(tuple).map(|(_, it)| it).collect();
        // A parameter that is used again outside of the tuple belongs to all rows; ours have none.
        let plain = tuple.rfind('(') == Some(0) && !tail.contains('$') && !head.contains('$');
        let width = numbers.iter().max()?.checked_sub(1)?;
        (plain && numbers.contains(&1) && width > 0).then_some(Self { head, tuple, tail, width })
    }

    /// How many of `left` rows the next statement takes.
    pub(super) fn take(&self, left: usize) -> usize {
        let most = left.min((PARAMETERS_MAX - 1) / self.width);
        SIZES.into_iter().find(|it| *it <= most).unwrap_or(1)
    }

    /// The text for `rows` rows.
    pub(super) fn text(&self, rows: usize) -> String {
        let mut text = String::with_capacity(
            self.head.len() + self.tail.len() + rows * (self.tuple.len() + 4 * self.width),
        );
        text.push_str(self.head);
        for row in 0..rows {
            if row > 0 {
                text.push_str(", ");
            }
            let mut from = 0;
            for (place, number) in numbers(self.tuple) {
                let shifted = if number == 1 { 1 } else { number + row * self.width };
                text.push_str(self.tuple.get(from..place.start).unwrap_or_default());
                text.push('$');
                text.push_str(&shifted.to_string());
                from = place.end;
            }
            text.push_str(self.tuple.get(from..).unwrap_or_default());
        }
        text.push_str(self.tail);
        text
    }
}

/// The `$n` of a text: where each stands, and its n.
fn numbers(text: &str) -> impl Iterator<Item = (std::ops::Range<usize>, usize)> {
    text.match_indices('$').filter_map(|(at, _)| {
        let digits = text.get(at + 1..)?;
        let end = digits.find(|it: char| !it.is_ascii_digit()).unwrap_or(digits.len());
        Some((at..at + 1 + end, digits.get(..end)?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_bound_once_and_every_row_has_its_own_parameters() {
        let sql = "INSERT INTO t (region, a, b, c) VALUES ($1, $2, 0, $3) ON CONFLICT DO NOTHING";
        let insert = Insert::of(sql).unwrap();
        assert_eq!(insert.text(1), sql);
        assert_eq!(
            insert.text(3),
            "INSERT INTO t (region, a, b, c) VALUES ($1, $2, 0, $3), ($1, $4, 0, $5), \
             ($1, $6, 0, $7) ON CONFLICT DO NOTHING"
        );
    }

    #[test]
    fn a_statement_takes_no_more_than_the_protocol_can_count() {
        let columns: Vec<String> = (1..=101).map(|it| format!("${it}")).collect();
        let wide = format!("INSERT INTO t (region) VALUES ({})", columns.join(", "));
        let insert = Insert::of(&wide).unwrap();
        assert_eq!(insert.take(100_000), 256, "655 rows of 100 would fit");
        assert_eq!((insert.take(255), insert.take(3), insert.take(1)), (64, 1, 1));
    }

    #[test]
    fn what_is_no_plain_insert_is_left_alone() {
        for sql in [
            "UPDATE t SET a = $2 WHERE region = $1",
            "INSERT INTO t (region, a) VALUES ($1, (SELECT $2))",
            "INSERT INTO t (region, a) VALUES ($1, $2) ON CONFLICT (region) DO UPDATE SET a = $3",
            "INSERT INTO t (region) VALUES ($1)",
            "INSERT INTO t (region, a) SELECT $1, $2",
        ] {
            assert!(Insert::of(sql).is_none(), "{sql}");
        }
    }
}
