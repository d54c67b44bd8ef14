//! Who asks: anonymous, a citizen, or staff; in which language; on whose behalf.
//!
//! Built once per request by the router from the cookies; the extractor never fails.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use contracts::person::{Grant, Person, Role, Scope, Staff};
use http::Method;
use http::request::Parts;
use kernel::{Id, Locale};
use store::{By, Context, Fault, Row};

use crate::App;
use crate::problem::Problem;
use crate::secret::digest128;
use crate::session::Session;

/// Who is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Who {
    /// Nobody.
    #[default]
    Anonymous,
    /// A citizen.
    Citizen(Id<Person>),
    /// A member of staff.
    Staff(Id<Staff>),
}

impl Who {
    /// The kind in tables: 0 nobody, 1 citizen, 2 staff.
    pub(crate) fn kind(self) -> i64 {
        match self {
            Self::Anonymous => 0,
            Self::Citizen(_) => 1,
            Self::Staff(_) => 2,
        }
    }

    /// The id's 16 bytes; zeros for nobody.
    pub(crate) fn bytes(self) -> [u8; 16] {
        match self {
            Self::Anonymous => [0; 16],
            Self::Citizen(id) => id.to_bytes(),
            Self::Staff(id) => id.to_bytes(),
        }
    }

    /// The other way: from the columns of the kind and of the id.
    pub(crate) fn read(row: &Row, kind: usize, id: usize) -> Result<Self, Fault> {
        Ok(match row.int(kind)? {
            1 => Self::Citizen(row.id(id)?),
            2 => Self::Staff(row.id(id)?),
            _ => Self::Anonymous,
        })
    }
}

/// Who asks, and how they wish to be answered.
#[derive(Debug, Clone, Default)]
pub struct Actor {
    /// Who is signed in.
    pub who: Who,
    /// The person a citizen is helping now, with that person's consent in force.
    pub acting_for: Option<Id<Person>>,
    /// What a member of staff may do now: expired grants are not here, and none is here before the
    /// passkey (except in a demo).
    pub grants: Vec<Grant>,
    /// The reader's language.
    pub locale: Locale,
    /// The session, when there is one.
    pub session: Option<Session>,
    /// How the signed-in person is shown in the header.
    pub label: Option<String>,
    /// How the helped person is shown.
    pub acting_for_label: Option<String>,
    pub(crate) request: Arc<RequestInfo>,
}

/// What of the request pages and commands need.
#[derive(Debug, Default)]
pub(crate) struct RequestInfo {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The cookie secret that form tokens are bound to.
    pub(crate) secret: String,
    /// What the sender chose to make a repetition recognisable: `Idempotency-Key`, or `_once`.
    pub(crate) once: OnceLock<String>,
    pub(crate) notice: Option<String>,
    pub(crate) theme: Option<&'static str>,
    pub(crate) size: Option<&'static str>,
}

impl Actor {
    /// The person this is about: the helped one when helping, otherwise the citizen.
    pub fn person(&self) -> Result<Id<Person>, Problem> {
        let own = self.own_person()?;
        Ok(self.acting_for.unwrap_or(own))
    }

    /// The signed-in citizen, whomever they are helping.
    pub fn own_person(&self) -> Result<Id<Person>, Problem> {
        match self.who {
            Who::Citizen(id) => Ok(id),
            Who::Staff(_) => Err(Problem::forbidden()),
            Who::Anonymous => Err(Problem::sign_in_required()),
        }
    }

    /// The signed-in member of staff.
    pub fn staff(&self) -> Result<Id<Staff>, Problem> {
        match self.who {
            Who::Staff(id) => Ok(id),
            Who::Citizen(_) => Err(Problem::forbidden()),
            Who::Anonymous => Err(Problem::sign_in_required()),
        }
    }

    /// Whether somebody is signed in.
    pub fn is_signed_in(&self) -> bool {
        self.who != Who::Anonymous
    }

    /// Whether the actor holds this role anywhere.
    pub fn has(&self, role: Role) -> bool {
        self.grants.iter().any(|it| it.role == role)
    }

    /// Whether the actor holds this role in any of `scopes`. A grant for the region holds in every
    /// scope; name a place's organisation beside the place, as its grant holds there too.
    pub fn has_in(&self, role: Role, scopes: &[Scope]) -> bool {
        self.grants
            .iter()
            .any(|it| it.role == role && (it.scope == Scope::Region || scopes.contains(&it.scope)))
    }

    /// [`Actor::has_in`] as a guard: `actor.need(Role::Owner, &[..])?`.
    pub fn need(&self, role: Role, scopes: &[Scope]) -> Result<Id<Staff>, Problem> {
        let staff = self.staff()?;
        if self.has_in(role, scopes) { Ok(staff) } else { Err(Problem::forbidden()) }
    }

    /// Who causes what this request makes happen.
    pub fn by(&self) -> By {
        match self.who {
            Who::Citizen(id) => By::Citizen(id),
            Who::Staff(id) => By::Staff(id),
            Who::Anonymous => By::System("visitor"),
        }
    }

    /// The context for this request's one command. Its command id comes from who asks, method,
    /// path and the key that the sender chose (`Idempotency-Key` or the form's `_once`), so that
    /// nobody can collide with another's; without a key there is none.
    pub fn context(&self) -> Context {
        self.context_for("")
    }

    /// The context for one of several commands of a request; `part` tells them apart.
    pub fn context_for(&self, part: &str) -> Context {
        let by = self.by();
        let command = self.request.once.get().map(|once| {
            let (who, method) = (by.to_string(), self.request.method.as_str());
            // Visitors share a `By`; their cookie tells them apart.
            let secret = if self.is_signed_in() { "" } else { self.request.secret.as_str() };
            digest128(&[&who, secret, method, &self.request.path, once, part])
        });
        Context { by, command }
    }

    /// The phone number that this session has proven to hold, in [`crate::phone::normal`]'s form.
    pub fn verified_phone(&self) -> Option<&str> {
        self.session.as_ref()?.phone.as_deref()
    }

    /// The path of this request, without its query.
    pub fn path(&self) -> &str {
        &self.request.path
    }
}

impl FromRequestParts<App> for Actor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Instant;

    fn citizen(number: u128, path: &str, once: Option<&str>) -> Actor {
        let request = RequestInfo { path: path.to_owned(), ..RequestInfo::default() };
        if let Some(once) = once {
            request.once.set(once.to_owned()).unwrap();
        }
        let who = Who::Citizen(Id::from_u128(number));
        Actor { who, request: Arc::new(request), ..Actor::default() }
    }

    #[test]
    fn the_same_key_of_the_same_person_on_the_same_path_is_the_same_command() {
        let first = citizen(1, "/declare", Some("k")).context().command;
        assert!(first.is_some());
        assert_eq!(first, citizen(1, "/declare", Some("k")).context().command);
        assert_ne!(first, citizen(2, "/declare", Some("k")).context().command);
        assert_ne!(first, citizen(1, "/appeal", Some("k")).context().command);
        assert_ne!(first, citizen(1, "/declare", Some("k")).context_for("2").command);
        assert_eq!(citizen(1, "/declare", None).context().command, None);
    }

    #[test]
    fn a_helper_acts_for_the_helped_and_stays_the_cause() {
        let helped = Id::from_u128(9);
        let actor = Actor { acting_for: Some(helped), ..citizen(1, "/", None) };
        assert_eq!(actor.person().unwrap(), helped);
        assert_eq!(actor.own_person().unwrap(), Id::from_u128(1));
        assert_eq!(actor.by(), By::Citizen(Id::from_u128(1)));
    }

    #[test]
    fn a_regional_role_holds_everywhere_and_a_place_s_only_there() {
        let (here, there) = (Scope::Place(Id::from_u128(1)), Scope::Place(Id::from_u128(2)));
        let until = Instant::from_seconds(1);
        let grants = vec![
            Grant { role: Role::Guard, scope: here, until },
            Grant { role: Role::Auditor, scope: Scope::Region, until },
        ];
        let actor = Actor { who: Who::Staff(Id::from_u128(5)), grants, ..Actor::default() };
        assert!(actor.has_in(Role::Guard, &[here]));
        assert!(!actor.has_in(Role::Guard, &[there]));
        assert!(actor.has_in(Role::Auditor, &[there]));
        assert!(actor.need(Role::Owner, &[here]).is_err());
    }

    #[test]
    fn nobody_is_told_to_sign_in_and_the_wrong_kind_is_refused() {
        assert_eq!(Actor::default().person().unwrap_err().code, "web-sign-in-required");
        assert_eq!(citizen(1, "/", None).staff().unwrap_err().code, "web-forbidden");
    }
}
