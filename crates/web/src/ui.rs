//! What the macros of `templates/ui.html` draw. Plain structs with public fields: a page fills them
//! in, the macro knows the markup.

/// One line of text, a number, a date, a phone number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Field {
    /// The form field's name; its element id is `f-<name>`.
    pub name: String,
    /// The label.
    pub label: String,
    /// Help under the label.
    pub hint: Option<String>,
    /// What is wrong with the value.
    pub error: Option<String>,
    /// The value.
    pub value: String,
    /// `text`, `tel`, `date`, `number`, `email`.
    pub kind: &'static str,
    /// The `autocomplete` token, e.g. `tel`, `one-time-code`, `name`.
    pub autocomplete: Option<&'static str>,
    /// The `inputmode`, e.g. `numeric`.
    pub inputmode: Option<&'static str>,
    /// Whether it must be filled in.
    pub required: bool,
    /// Characters at most.
    pub maxlength: Option<u32>,
}

impl Field {
    /// A required line of text.
    pub fn text(name: &str, label: String) -> Self {
        Self { name: name.to_owned(), label, kind: "text", required: true, ..Self::default() }
    }

    /// A required phone number.
    pub fn phone(name: &str, label: String) -> Self {
        Self {
            kind: "tel",
            autocomplete: Some("tel"),
            inputmode: Some("tel"),
            maxlength: Some(20),
            ..Self::text(name, label)
        }
    }

    /// A required date.
    pub fn date(name: &str, label: String) -> Self {
        Self { kind: "date", ..Self::text(name, label) }
    }

    /// The same field with this value.
    #[must_use]
    pub fn with(self, value: &str) -> Self {
        Self { value: value.to_owned(), ..self }
    }

    /// The same field with help under the label.
    #[must_use]
    pub fn hint(self, hint: String) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// The same field with what is wrong with it, or with nothing.
    #[must_use]
    pub fn error(self, error: Option<String>) -> Self {
        Self { error, ..self }
    }

    /// The same field, which may be left empty.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { required: false, ..self }
    }
}

/// One of a few: radio rows, a question, or a select.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The form field's name.
    pub name: String,
    /// The legend.
    pub label: String,
    /// Help under the legend.
    pub hint: Option<String>,
    /// What is wrong.
    pub error: Option<String>,
    /// The options.
    pub options: Vec<Opt>,
    /// Whether one must be chosen.
    pub required: bool,
}

/// One option of a [`Choice`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opt {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// Whether it is chosen.
    pub checked: bool,
}

impl Opt {
    /// An option, chosen when `value` is the present value.
    pub fn new(value: &str, label: String, present: &str) -> Self {
        Self { value: value.to_owned(), label, checked: value == present }
    }
}

/// One yes-or-nothing box.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Check {
    /// The form field's name.
    pub name: String,
    /// What is agreed to.
    pub label: String,
    /// Help above it.
    pub hint: Option<String>,
    /// What is wrong.
    pub error: Option<String>,
    /// What is sent when it is ticked.
    pub value: String,
    /// Whether it is ticked.
    pub checked: bool,
    /// Whether it must be.
    pub required: bool,
}

/// The state of a person's code: shape, word, until when, and the reasons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColourCard {
    /// `green`, `yellow`, `red` or `unknown`: [`contracts::code::Colour::word`].
    pub colour: &'static str,
    /// The word beside the shape.
    pub word: String,
    /// Until when.
    pub until: Option<String>,
    /// The reasons, one line each.
    pub reasons: Vec<String>,
}

/// What a guard reads from two metres.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// `green`, `yellow`, `red` or `unknown`.
    pub colour: &'static str,
    /// The big word.
    pub word: String,
    /// The reason under it.
    pub reason: String,
    /// Whether it fills the screen.
    pub full: bool,
}

/// Earlier and later pages of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pager {
    /// The earlier page's address.
    pub previous: Option<String>,
    /// The later page's address.
    pub next: Option<String>,
    /// Where one is.
    pub label: String,
}
