//! How large the head of a request may be.
//!
//! Owns the limits that are answered with a proper error; [`crate::serve()`] sets hyper's own a little
//! higher, beyond which a client gets a bare status and a closed connection.

use axum::extract::Request;

use crate::problem::Problem;

/// Longest request target, in bytes: ours take about 450, a presigned one with a token 3,000.
const TARGET_BYTES_MAX: usize = 4096;

/// Largest sum of header names and values, in bytes: browsers send about 1,000 and no cookie here.
const HEADER_BYTES_MAX: usize = 16 << 10;

/// Most header fields; browsers and proxies together send about 30.
const HEADER_COUNT_MAX: usize = 64;

/// Refuses a head that is over a limit.
pub(crate) fn check(request: &Request) -> Result<(), Problem> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > TARGET_BYTES_MAX {
        return Err(Problem::uri_too_large());
    }
    let bytes: usize =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if bytes > HEADER_BYTES_MAX || request.headers().len() > HEADER_COUNT_MAX {
        return Err(Problem::headers_too_large());
    }
    Ok(())
}
