#pragma once

// A keyed hash of a whole token, by which a view recognises a token that it has proven before. A quarter of SHA-256's
// time, since it is no hash for everybody: it is strong only as long as nobody outside knows its secret or its values.
//
// It is POLYVAL (RFC 8452, section 3): the token in blocks of 16 octets, the last filled with zeros, and a block with
// its length, are the coefficients of a polynomial over GF(2^128), which is evaluated at a secret point. The point is
// drawn at random once a process and is kept nowhere; values are kept in memory only and never leave it, so what is
// written to disk (view/memo_log.hpp) is SHA-256 as ever.
//
// The bound. Two different tokens of at most 4,096 octets are two different polynomials of degree at most 257, so for
// any difference of their values at most 257 points give it: they agree with a chance of 257 / 2^128. A memo keeps 120
// bits of the value: 2^8 differences pass, hence 257 * 2^8 / 2^128 < 2^-111. An attacker that tries q tokens and learns
// no more than "no" of each has a chance of at most q * 2^-111: with 10^9 tries a second for a century, 10^-15. That
// only "no" is learned is why a memo is compared as a whole (view/memo.hpp). A signature of Ed25519 is forged with
// about 2^-128 a try, and either is out of reach.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "jwt/digest.hpp"

namespace latchkey::jwt {

/// Whether this processor multiplies without carries. Where not, memo_hash_of() is digest_of(), and its bound holds.
bool memo_hash_is_keyed();

/// Of `token`, by this process's secret. No allocation. Any thread.
TokenDigest memo_hash_of(std::string_view token);

/// POLYVAL of whole blocks at `point`, for the RFC's vectors. Only where memo_hash_is_keyed().
using Block = std::array<std::uint64_t, 2>;  // little-endian
Block polyval(const Block& point, std::span<const Block> blocks);

}  // namespace latchkey::jwt
