//! The slices of the house, by hand and in alphabetical order, and who answers whose questions.

pub use web::slice::registry;
use web::{Questions, Slice};

/// Every slice. `web` brings its own pages in the same form.
pub fn slices() -> Vec<Slice> {
    vec![
        code::slice(),
        gate::slice(),
        logbook::slice(),
        pass::slice(),
        person::slice(),
        web::slice(),
    ]
}

/// Who answers what slices ask of each other.
pub fn questions() -> Questions {
    Questions {
        grants_of: person::grants_of,
        staff_label: person::staff_label,
        person_label: person::person_label,
        person_by_phone: person::person_by_phone,
        phone_of: person::phone_of,
        organisations: person::organisations,
        places: gate::places,
        typed_code: code::view::typed_code,
        may_help: person::may_help,
        signing_key: code::keys::signing_key,
        pass_signers: code::keys::pass_signers,
        signatures: &[code::view::signatures, pass::signatures],
        things_of: pass::things_of,
        approved_device: gate::approved_device,
        own_lists: code::own_lists,
    }
}
