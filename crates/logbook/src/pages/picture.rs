//! Where the lines and boxes of the two pictures lie: pure geometry, drawn by the templates.

use kernel::Date;
use ledger::Hash;

use super::number;
use crate::model::Proven;

/// One bar of the days' picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// Left edge.
    pub x: u64,
    /// Middle.
    pub middle: u64,
    /// Upper edge.
    pub y: u64,
    /// Height.
    pub height: u64,
    /// Month and day.
    pub label: String,
    /// How many, in digits.
    pub count: String,
}

/// Height of the tallest bar.
const BAR_MAX: u64 = 90;
/// Where bars stand.
const BAR_FLOOR: u64 = 112;
/// From one bar to the next: seven fill a width of 322.
const BAR_STEP: u64 = 46;

/// The bars of the last days. Any entry at all shows as a line.
pub fn bars(days: &[(Date, u64)]) -> Vec<Bar> {
    let most = days.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    (0_u64..)
        .zip(days)
        .map(|(place, (day, count))| {
            let share = u128::from(*count) * u128::from(BAR_MAX) / u128::from(most);
            let height = u64::try_from(share).unwrap_or(BAR_MAX).max(u64::from(*count > 0));
            Bar {
                x: place * BAR_STEP + 5,
                middle: place * BAR_STEP + 23,
                y: BAR_FLOOR - height,
                height,
                label: day.to_string().get(5..).unwrap_or_default().to_owned(),
                count: short(*count),
            }
        })
        .collect()
}

/// A count in at most some six characters: the slot of a bar is narrow.
fn short(count: u64) -> String {
    match count {
        0..=99_999 => number(count),
        100_000..=9_999_999 => format!("{}k", number(count / 1_000)),
        _ => format!("{}M", number(count / 1_000_000)),
    }
}

/// One step of the way up: two boxes side by side and lines to the one above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// Upper edge of both boxes.
    pub y: u64,
    /// Left edge of the computed hash's box.
    pub own_x: u64,
    /// Left edge of the neighbour's box.
    pub neighbour_x: u64,
    /// Middle of the box above, where both lines end.
    pub above_middle: u64,
    /// Lower edge of the box above.
    pub above_y: u64,
    /// The beginning of the computed hash.
    pub own: String,
    /// The beginning of the neighbour.
    pub neighbour: String,
}

impl Rung {
    /// Middle of the computed hash's box.
    pub const fn own_middle(&self) -> u64 {
        self.own_x + BOX_WIDTH / 2
    }

    /// Middle of the neighbour's box.
    pub const fn neighbour_middle(&self) -> u64 {
        self.neighbour_x + BOX_WIDTH / 2
    }

    /// The line on which a box's text stands.
    pub const fn text_y(&self) -> u64 {
        self.y + 22
    }
}

/// The way from an entry up to the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ladder {
    /// Height of the whole picture; its width is 320.
    pub height: u64,
    /// The beginning of the root.
    pub root: String,
    /// The steps, the root's children first, the leaf and its neighbour last.
    pub rungs: Vec<Rung>,
}

/// Width of a box.
const BOX_WIDTH: u64 = 140;
/// Height of a box.
const BOX_HEIGHT: u64 = 34;
/// From one row of boxes to the next.
const ROW: u64 = 62;
/// Left edge of the two columns, and of the root.
const LEFT: u64 = 8;
const RIGHT: u64 = 172;
const CENTRE: u64 = 90;

/// The picture of a proof.
pub fn ladder(proven: &Proven) -> Ladder {
    let steps = proven.steps();
    let mut rungs = Vec::with_capacity(steps.len());
    let mut above_x = CENTRE;
    for (row, step) in (1_u64..).zip(steps.iter().rev()) {
        let (own_x, neighbour_x) = if step.neighbour_left { (RIGHT, LEFT) } else { (LEFT, RIGHT) };
        let y = row * ROW + 2;
        rungs.push(Rung {
            y,
            own_x,
            neighbour_x,
            above_middle: above_x + BOX_WIDTH / 2,
            above_y: y - ROW + BOX_HEIGHT,
            own: beginning(&step.own()),
            neighbour: beginning(&step.neighbour()),
        });
        above_x = own_x;
    }
    let height = u64::try_from(rungs.len()).unwrap_or(0) * ROW + BOX_HEIGHT + 14;
    Ladder { height, root: beginning(&proven.root), rungs }
}

/// Enough of a hash to tell it from others by eye.
fn beginning(hash: &Hash) -> String {
    let text = hash.to_hex();
    format!("{}…", text.get(..12).unwrap_or_default())
}
