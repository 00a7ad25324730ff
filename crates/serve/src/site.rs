//! The page itself, in the program.

use crate::http::{Kind, Response};

/// A part of the page by its name.
pub(crate) fn asset(name: &str) -> Option<Response> {
    Some(match name {
        "" => Response::ok(Kind::Html, include_str!("assets/page.html")),
        "page.js" => Response::ok(Kind::JavaScript, include_str!("assets/page.js")),
        "page.css" => Response::ok(Kind::Css, include_str!("assets/page.css")),
        "icon.svg" => Response::ok(Kind::Svg, include_str!("assets/icon.svg")),
        _ => return None,
    })
}
