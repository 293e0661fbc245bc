#ifndef PURSER_CZLIB_SHIM_H
#define PURSER_CZLIB_SHIM_H

#include <zlib.h>

/// `inflateInit2` is a macro that passes the header's version and struct size; Swift cannot see it.
/// `windowBits` 47 accepts both gzip and zlib framing.
static inline int purser_inflate_init(z_stream *stream, int windowBits) {
    return inflateInit2(stream, windowBits);
}

#endif
