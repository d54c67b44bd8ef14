//! A route: method, path, who may use it, handler. Access is part of the route's value, so a route
//! without an access decision cannot be written (deny by default).

use axum::handler::Handler;
use axum::routing::MethodRouter;
use contracts::person::Role;
use http::Method;

use crate::App;

/// One method on one path.
#[derive(Clone)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path pattern in axum's syntax, e.g. `/code/{pass}`.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// How often one address may use it.
    pub rate: Rate,
    /// The handler.
    pub handler: MethodRouter<App>,
}

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Anyone,
    /// A signed-in citizen.
    Citizen,
    /// Staff who hold any of these roles in any scope; handlers narrow by scope. An empty list
    /// means any member of staff.
    Staff(&'static [Role]),
    /// Any signed-in person, citizen or staff.
    SignedIn,
    /// The handler itself verifies a device's signature over the body.
    DeviceSigned,
    /// Everybody, and only when the city is a demo.
    Demo,
}

/// How often one client address may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rate {
    /// Pages and data.
    Normal,
    /// Where secrets could be guessed: sign-in, one-time codes, typed short codes.
    Strict,
}

impl Route {
    /// A GET route; HEAD is answered too.
    pub fn get<H, T>(path: &'static str, handler: H, access: Access) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self::new(Method::GET, path, access, axum::routing::get(handler))
    }

    /// A POST route.
    pub fn post<H, T>(path: &'static str, handler: H, access: Access) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self::new(Method::POST, path, access, axum::routing::post(handler))
    }

    /// A PUT route.
    pub fn put<H, T>(path: &'static str, handler: H, access: Access) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self::new(Method::PUT, path, access, axum::routing::put(handler))
    }

    /// A DELETE route.
    pub fn delete<H, T>(path: &'static str, handler: H, access: Access) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self::new(Method::DELETE, path, access, axum::routing::delete(handler))
    }

    fn new(method: Method, path: &'static str, access: Access, handler: MethodRouter<App>) -> Self {
        Self { method, path, access, rate: Rate::Normal, handler }
    }

    /// The same route for a form with files: see [`crate::upload::Upload`].
    #[must_use]
    pub fn with_files(self) -> Self {
        let limit = axum::extract::DefaultBodyLimit::max(crate::upload::UPLOAD_MAX);
        Self { handler: self.handler.layer(limit), ..self }
    }

    /// The same route with the strict rate limit: for whatever could be guessed at.
    #[must_use]
    pub fn strict(self) -> Self {
        Self { rate: Rate::Strict, ..self }
    }
}
