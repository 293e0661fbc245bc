#ifndef PURSER_CZSTD_SHIM_H
#define PURSER_CZSTD_SHIM_H

#include <zstd.h>

#endif
