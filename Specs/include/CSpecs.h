#ifndef PURSER_CSPECS_H
#define PURSER_CSPECS_H

#include <stddef.h>

/// Specs/assets.json, compiled in: the program reads the very file that documents it.
extern const unsigned char *_Nonnull const purser_assets_json;
/// Its length in bytes.
extern const size_t purser_assets_json_count;

/// Specs/misbehaviours.json, compiled in.
extern const unsigned char *_Nonnull const purser_misbehaviours_json;
/// Its length in bytes.
extern const size_t purser_misbehaviours_json_count;

#endif
