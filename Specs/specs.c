#include "CSpecs.h"

// #embed is C23; clang has it in every mode and warns outside that one.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char assets[] = {
#embed "assets.json"
};
const unsigned char *const purser_assets_json = assets;
const size_t purser_assets_json_count = sizeof(assets);

static const unsigned char misbehaviours[] = {
#embed "misbehaviours.json"
};
const unsigned char *const purser_misbehaviours_json = misbehaviours;
const size_t purser_misbehaviours_json_count = sizeof(misbehaviours);
