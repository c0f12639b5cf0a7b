// The kernels of the cpu back end in C++: the same functions, arguments and results as the numba form.
//
// The file includes itself once for each level of vector instructions (avx512, avx2, portable); each time the kernels
// are compiled into a namespace of that name and exported as NAME_LEVEL, such as forward_range_avx512. best_level() says
// which of them this machine can run. An array argument is a pointer to its data and its shape; every array is dense.
// A kernel works on a range [start, stop) of independent items and keeps no state, so callers may spread ranges over
// threads, and the bits of a result never depend on how they did.

#ifndef LEVEL

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

template <class T>
struct Array {
    T* data;
    int64_t shape[4];
};

using Floats = const Array<float>&;
using Ints = const Array<int32_t>&;
using Longs = const Array<int64_t>&;
using Doubles = const Array<double>&;

constexpr int TILE = 16;          // px, edge of a tile
constexpr int PIXELS = 256;       // of a tile
constexpr int BLOCK = 16;         // pixels of a 4 x 4 block; a tile has as many blocks
constexpr int MOMENTS = 6;        // of alpha dL/dalpha: 1, dx, dy, dx², dx dy, dy²
constexpr float LEAST = -7.994353436858858f;  // log2(1/255): alpha below 1/255 is not drawn
constexpr float MOST = 0.999f;    // alpha is clamped here
constexpr float STOP = 1e-4f;     // a pixel is done before its transmittance would fall to this
constexpr double LOG2_E = 1.4426950408889634;
constexpr double LN_2 = 0.6931471805599453;
constexpr double FOOTPRINT_SLACK = 1e-3;  // on the exponent: rounding must never drop a pixel that is drawn

// The state of a tile is kept block by block; of a block, plane by plane (transmittance, sums, ...); of a plane, its
// sixteen pixels row by row. One vector load gets a block's plane, and all planes of a block lie together: planes that
// are far apart would meet at the same place of 4 KiB pages, where a load waits for a store that is not its own.
class TileState {
  public:
    explicit TileState(int planes) : planes(planes), data(new (ALIGNED) float[planes * PIXELS]) {}
    ~TileState() { operator delete[](data, ALIGNED); }
    TileState(const TileState&) = delete;
    float* block(int index) const { return data + stride() * index; }
    // A pixel's value in the first plane; those of the others follow at steps of BLOCK.
    float* pixel(int x, int y) const { return block(4 * (y >> 2) + (x >> 2)) + 4 * (y & 3) + (x & 3); }
    int stride() const { return BLOCK * planes; }  // from block to block
    void clear() const { std::fill(data, data + planes * PIXELS, 0.0f); }

  private:
    static constexpr std::align_val_t ALIGNED{64};
    const int planes;
    float* const data;
};

// Offsets of each pixel from the tile's first, block by block.
struct Grid {
    alignas(64) float column[PIXELS], row[PIXELS];
    Grid() {
        for (int i = 0; i < PIXELS; ++i) {
            column[i] = float(4 * (i / 16 % 4) + i % 4);
            row[i] = float(4 * (i / 64) + i % 16 / 4);
        }
    }
};
const Grid GRID;

// [1 or B, 1 or H, 1 or W, 3] as if it were [B, H, W, 3].
struct Background {
    explicit Background(Floats a)
        : data(a.data),
          frame(a.shape[0] > 1 ? a.shape[1] * a.shape[2] * 3 : 0),
          row(a.shape[1] > 1 ? a.shape[2] * 3 : 0),
          column(a.shape[2] > 1 ? 3 : 0) {}
    const float* at(int64_t b, int64_t y, int64_t x) const { return data + b * frame + y * row + x * column; }
    bool plain() const { return row == 0 && column == 0; }
    const float* data;
    int64_t frame, row, column;
};

// Where a tile of the flattened batch lies.
struct TilePlace {
    TilePlace(int64_t tile, int64_t columns, int64_t rows, int64_t height, int64_t width)
        : frame(tile / (columns * rows)),
          left(TILE * (tile % (columns * rows) % columns)),
          top(TILE * (tile % (columns * rows) / columns)),
          across(int(std::min<int64_t>(TILE, width - left))),
          down(int(std::min<int64_t>(TILE, height - top))) {}
    int64_t frame, left, top;
    int across, down;  // pixels inside the image
};

// The sorted tile lists of a batch (see list_slices) and what their entries are made of.
struct Lists {
    const int64_t* starts;
    const int32_t *pairs, *gaussians, *masks;
    const float *ellipses, *channels;
    int size;
    int64_t entries;  // of all lists
};

// Transmittance 1 inside the image, done outside, all else zero.
inline void begin_tile(const TileState& state, const TilePlace& at) {
    state.clear();
    for (int block = 0; block < BLOCK; ++block) std::fill(state.block(block), state.block(block) + BLOCK, 1.0f);
    if (at.across == TILE && at.down == TILE) return;
    for (int y = 0; y < TILE; ++y)
        for (int x = 0; x < TILE; ++x)
            if (x >= at.across || y >= at.down) *state.pixel(x, y) = -1.0f;
}

// Indices of the Gaussians [first, first + count) with a box, nearest first, equal depths in their own order: into `order`.
// Radix sort on the bits of positive floats, which order as the numbers do. Returns how many there are.
int64_t sort_by_depth(const float* depths, const int32_t* boxes, int64_t first, int64_t count, int32_t* order) {
    std::unique_ptr<int32_t[]> room(new int32_t[count + 1]);
    constexpr int SHIFTS[] = {0, 11, 22};
    int32_t starts[3][2049] = {};
    auto digit = [&](int32_t i, int pass) {
        uint32_t key;
        std::memcpy(&key, depths + i, sizeof key);
        return (key >> SHIFTS[pass]) & 2047;
    };
    int32_t *from = room.get(), *to = order;
    int64_t used = 0;
    for (int64_t i = first; i < first + count; ++i) {
        if (boxes[4 * i] > boxes[4 * i + 1]) continue;
        from[used++] = int32_t(i);
        for (int pass = 0; pass < 3; ++pass) ++starts[pass][digit(int32_t(i), pass) + 1];
    }
    for (int pass = 0; pass < 3; ++pass) {
        for (int k = 0; k < 2048; ++k) starts[pass][k + 1] += starts[pass][k];
        for (int64_t n = 0; n < used; ++n) to[starts[pass][digit(from[n], pass)]++] = from[n];
        std::swap(from, to);
    }
    return used;
}

// Call `work(pair, gaussian)` for the pairs of the slices [start, stop) of all frames, each in depth order, after
// `begin(slice)`; a frame has `slices` of them, equal parts of its Gaussians in depth order.
template <class Begin, class Work>
inline void for_pairs(int64_t start, int64_t stop, int64_t slices, int64_t count, Ints order, Longs used, Longs offsets,
                      Ints counts, Ints pair_tiles, Begin begin, Work work) {
    for (int64_t slice = start; slice < stop; ++slice) {
        const int64_t frame = slice / slices, part = slice % slices, last = used.data[frame] - 1;
        const int32_t* sorted = order.data + frame * count;
        begin(slice);
        for (int64_t n = (last + 1) * part / slices; n < (last + 1) * (part + 1) / slices; ++n) {
            // In depth order Gaussians lie all over memory.
            const int64_t soon = sorted[std::min(n + 16, last)], next = sorted[std::min(n + 8, last)], i = sorted[n];
            __builtin_prefetch(offsets.data + soon);
            __builtin_prefetch(counts.data + soon);
            __builtin_prefetch(pair_tiles.data + offsets.data[next]);
            for (int64_t pair = offsets.data[i]; pair < offsets.data[i] + counts.data[i]; ++pair) work(pair, i);
        }
    }
}

}  // namespace

#define EXPORTED extern "C" __attribute__((visibility("default")))

// The best level that this machine can run: 2 avx512, 1 avx2, 0 portable.
EXPORTED int32_t best_level() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return avx512 ? 2 : avx2 ? 1 : 0;
#else
    return 0;
#endif
}

// Depth order [B, N] of the Gaussians of frames [start, stop) that have a box, and how many those are [B].
EXPORTED void sort_range(int64_t start, int64_t stop, int64_t count, Floats depths, Ints boxes, Ints order, Longs used) {
    for (int64_t frame = start; frame < stop; ++frame)
        used.data[frame] = sort_by_depth(depths.data, boxes.data, frame * count, count, order.data + frame * count);
}

// Pairs of each tile in slices [start, stop): found [B, slices, tiles] is written.
EXPORTED void count_slices(int64_t start, int64_t stop, int64_t slices, int64_t count, int64_t tiles, Ints order, Longs used,
                           Longs offsets, Ints counts, Ints pair_tiles, Longs found) {
    int64_t* row = nullptr;
    if (slices == 1) {  // then any order will do, and that of memory is the fastest
        for (int64_t frame = start; frame < stop; ++frame) {
            std::fill_n(row = found.data + frame * tiles, tiles, 0);
            for (int64_t i = frame * count; i < (frame + 1) * count; ++i)
                for (int32_t k = 0; k < counts.data[i]; ++k) ++row[pair_tiles.data[offsets.data[i] + k]];
        }
        return;
    }
    for_pairs(start, stop, slices, count, order, used, offsets, counts, pair_tiles,
              [&](int64_t slice) { std::fill_n(row = found.data + slice * tiles, tiles, 0); },
              [&](int64_t pair, int64_t) { ++row[pair_tiles.data[pair]]; });
}

// List the pairs of slices [start, stop) in their tiles: from cursors [B, slices, tiles] on, which are moved.
EXPORTED void list_slices(int64_t start, int64_t stop, int64_t slices, int64_t count, int64_t tiles, Ints order, Longs used,
                          Longs offsets, Ints counts, Ints pair_tiles, Longs cursors, Ints pair_list, Ints gaussian_list) {
    int64_t* row = nullptr;
    for_pairs(start, stop, slices, count, order, used, offsets, counts, pair_tiles,
              [&](int64_t slice) { row = cursors.data + slice * tiles; },
              [&](int64_t pair, int64_t i) {
                  const int64_t at = row[pair_tiles.data[pair]]++;
                  pair_list.data[at] = int32_t(pair), gaussian_list.data[at] = int32_t(i);
              });
}

#define JOINED(name, level) name##_##level
#define JOIN(name, level) JOINED(name, level)
#define KERNEL(name) EXPORTED void JOIN(name, LEVEL)

#define LEVEL portable
#define WIDTH 4
#include "raster.cpp"
#undef LEVEL
#undef WIDTH

#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,bmi,bmi2")
#endif
#define LEVEL avx2
#define WIDTH 8
#include "raster.cpp"
#undef LEVEL
#undef WIDTH
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi,bmi2"))), \
                             apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi,bmi2,prefer-vector-width=512")
#endif
#define LEVEL avx512
#define WIDTH 16
#include "raster.cpp"
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif

#else  // one level

namespace {
namespace LEVEL {

// ---- Lanes: WIDTH floats at once; the operators + - * / work on them. A Mask says for which lanes something holds.

#if WIDTH == 16

using Lanes = __m512;
using Mask = __mmask16;
inline Lanes all(float a) { return _mm512_set1_ps(a); }
inline Lanes load(const float* from) { return _mm512_loadu_ps(from); }
inline void store(float* to, Lanes a) { _mm512_storeu_ps(to, a); }
inline Lanes mul_add(Lanes a, Lanes b, Lanes c) { return _mm512_fmadd_ps(a, b, c); }
inline Lanes less_mul(Lanes a, Lanes b, Lanes c) { return _mm512_fnmadd_ps(a, b, c); }  // c - a b
inline Lanes smaller(Lanes a, Lanes b) { return _mm512_min_ps(a, b); }
inline Mask at_least(Lanes a, Lanes b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
inline Mask above(Lanes a, Lanes b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
inline Mask both(Mask a, Mask b) { return Mask(a & b); }
inline bool any(Mask a) { return a != 0; }
inline Lanes keep(Mask mask, Lanes a) { return _mm512_maskz_mov_ps(mask, a); }  // 0 elsewhere
inline Lanes drop(Mask mask, Lanes a) { return _mm512_maskz_mov_ps(Mask(~mask), a); }
inline Lanes select(Mask mask, Lanes a, Lanes b) { return _mm512_mask_mov_ps(b, mask, a); }
inline Lanes scaled(Lanes a, Lanes bits) {  // a times 2 to the power in the low bits of `bits`
    __m512i power = _mm512_slli_epi32(_mm512_castps_si512(bits), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(a), power));
}
inline Lanes inverse(Lanes a) {  // 14 bits, doubled by one step of Newton's
    Lanes guess = _mm512_rcp14_ps(a);
    return guess * less_mul(a, guess, all(2.0f));
}

#elif WIDTH == 8

using Lanes = __m256;
struct Mask {
    __m256 bits;
};
inline Lanes all(float a) { return _mm256_set1_ps(a); }
inline Lanes load(const float* from) { return _mm256_loadu_ps(from); }
inline void store(float* to, Lanes a) { _mm256_storeu_ps(to, a); }
inline Lanes mul_add(Lanes a, Lanes b, Lanes c) { return _mm256_fmadd_ps(a, b, c); }
inline Lanes less_mul(Lanes a, Lanes b, Lanes c) { return _mm256_fnmadd_ps(a, b, c); }
inline Lanes smaller(Lanes a, Lanes b) { return _mm256_min_ps(a, b); }
inline Mask at_least(Lanes a, Lanes b) { return {_mm256_cmp_ps(a, b, _CMP_GE_OQ)}; }
inline Mask above(Lanes a, Lanes b) { return {_mm256_cmp_ps(a, b, _CMP_GT_OQ)}; }
inline Mask both(Mask a, Mask b) { return {_mm256_and_ps(a.bits, b.bits)}; }
inline bool any(Mask a) { return _mm256_movemask_ps(a.bits) != 0; }
inline Lanes keep(Mask mask, Lanes a) { return _mm256_and_ps(mask.bits, a); }
inline Lanes drop(Mask mask, Lanes a) { return _mm256_andnot_ps(mask.bits, a); }
inline Lanes select(Mask mask, Lanes a, Lanes b) { return _mm256_blendv_ps(b, a, mask.bits); }
inline Lanes scaled(Lanes a, Lanes bits) {
    __m256i power = _mm256_slli_epi32(_mm256_castps_si256(bits), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), power));
}
inline Lanes inverse(Lanes a) {  // 12 bits, doubled by one step of Newton's
    Lanes guess = _mm256_rcp_ps(a);
    return guess * less_mul(a, guess, all(2.0f));
}

#else

typedef float Lanes __attribute__((vector_size(16)));
typedef int32_t Mask __attribute__((vector_size(16)));
inline Lanes all(float a) { return Lanes{a, a, a, a}; }
inline Lanes load(const float* from) {
    Lanes a;
    std::memcpy(&a, from, sizeof a);
    return a;
}
inline void store(float* to, Lanes a) { std::memcpy(to, &a, sizeof a); }
inline Lanes mul_add(Lanes a, Lanes b, Lanes c) { return a * b + c; }
inline Lanes less_mul(Lanes a, Lanes b, Lanes c) { return c - a * b; }
inline Mask at_least(Lanes a, Lanes b) { return a >= b; }
inline Mask above(Lanes a, Lanes b) { return a > b; }
inline Mask both(Mask a, Mask b) { return a & b; }
inline bool any(Mask a) { return (a[0] | a[1] | a[2] | a[3]) != 0; }
inline Lanes keep(Mask mask, Lanes a) { return (Lanes)((Mask)a & mask); }
inline Lanes drop(Mask mask, Lanes a) { return (Lanes)((Mask)a & ~mask); }
inline Lanes select(Mask mask, Lanes a, Lanes b) { return (Lanes)(((Mask)a & mask) | ((Mask)b & ~mask)); }
inline Lanes smaller(Lanes a, Lanes b) { return select(a < b, a, b); }
inline Lanes scaled(Lanes a, Lanes bits) { return (Lanes)((Mask)a + ((Mask)bits << 23)); }
inline Lanes inverse(Lanes a) { return 1.0f / a; }

#endif

constexpr int UNITS = BLOCK / WIDTH;  // vectors in a block

// 2 to the power of each lane between -126 and 1 (elsewhere any bits: callers drop those lanes).
// Adding 1.5 * 2^23 rounds to a whole number, left in the low bits; the series is a Chebyshev fit on [-1/2, 1/2] with a
// relative error of 1e-7.
inline Lanes exp2(Lanes power) {
    const Lanes magic = all(12582912.0f);
    Lanes whole = power + magic;
    Lanes part = power - (whole - magic);
    Lanes series = mul_add(all(0.0013390863314270973f), part, all(0.009676031768321991f));
    series = mul_add(series, part, all(0.055503569543361664f));
    series = mul_add(series, part, all(0.2402210682630539f));
    series = mul_add(series, part, all(0.6931471824645996f));
    series = mul_add(series, part, all(1.0000001192092896f));
    return scaled(series, whole);
}

// ---- Sums of the lanes of many vectors at once: vectors are folded in pairs, so that a fold serves two of them.

#if WIDTH == 16

// Halves onto halves: [a0+a2 a1+a3 b0+b2 b1+b3] in quarters of four lanes, and so on down to single lanes.
inline Lanes fold8(Lanes a, Lanes b) { return _mm512_shuffle_f32x4(a, b, 0x44) + _mm512_shuffle_f32x4(a, b, 0xEE); }
inline Lanes fold4(Lanes a, Lanes b) { return _mm512_shuffle_f32x4(a, b, 0x88) + _mm512_shuffle_f32x4(a, b, 0xDD); }
inline Lanes fold2(Lanes a, Lanes b) { return _mm512_shuffle_ps(a, b, 0x44) + _mm512_shuffle_ps(a, b, 0xEE); }
inline Lanes fold1(Lanes a, Lanes b) { return _mm512_shuffle_ps(a, b, 0x88) + _mm512_shuffle_ps(a, b, 0xDD); }

// Vectors k, k + 4, k + 8 and k + 12 folded into one: the sum of vector k + 4 q is left in the four lanes of quarter q.
template <int COUNT>
inline Lanes every_fourth(const Lanes* parts, int k) {
    const Lanes zero = all(0.0f);
    Lanes low = fold8(k < COUNT ? parts[k] : zero, k + 4 < COUNT ? parts[k + 4] : zero);
    Lanes high = k + 8 < COUNT ? fold8(parts[k + 8], k + 12 < COUNT ? parts[k + 12] : zero) : zero;
    return fold4(low, high);
}

// Write the sums of `COUNT` (at most 16) vectors to out[0:COUNT].
template <int COUNT>
inline void sums_of(const Lanes* parts, float* out) {
    Lanes even = fold2(every_fourth<COUNT>(parts, 0), every_fourth<COUNT>(parts, 1));
    Lanes odd = fold2(every_fourth<COUNT>(parts, 2), every_fourth<COUNT>(parts, 3));
    _mm512_mask_storeu_ps(out, __mmask16((1u << COUNT) - 1), fold1(even, odd));
}

#elif WIDTH == 8

inline Lanes fold4(Lanes a, Lanes b) {
    return _mm256_permute2f128_ps(a, b, 0x20) + _mm256_permute2f128_ps(a, b, 0x31);
}
inline Lanes fold2(Lanes a, Lanes b) { return _mm256_shuffle_ps(a, b, 0x44) + _mm256_shuffle_ps(a, b, 0xEE); }
inline Lanes fold1(Lanes a, Lanes b) { return _mm256_shuffle_ps(a, b, 0x88) + _mm256_shuffle_ps(a, b, 0xDD); }

template <int COUNT>
inline void sums_of(const Lanes* parts, float* out) {
    const Lanes zero = _mm256_setzero_ps();
    auto part = [&](int k) { return k < COUNT ? parts[k] : zero; };
    float sums[16];
    for (int half = 0; half < COUNT; half += 8) {
        Lanes folds[4];
        for (int k = 0; k < 4; ++k) folds[k] = fold4(part(half + k), part(half + 4 + k));
        store(sums + half, fold1(fold2(folds[0], folds[1]), fold2(folds[2], folds[3])));
    }
    std::memcpy(out, sums, COUNT * sizeof *out);
}

#else

template <int COUNT>
inline void sums_of(const Lanes* parts, float* out) {
    for (int k = 0; k < COUNT; ++k) out[k] = (parts[k][0] + parts[k][2]) + (parts[k][1] + parts[k][3]);
}

#endif

// ---- Blending, front to back. A transmittance is negative once its pixel is done (gsplat's rule: the Gaussian that
// would take it to 1e-4 or below is left out, with all behind it).

// What one Gaussian is to a tile: first pixel centre minus the mean, and log2 alpha = e5 + e2 dx² + e3 dx dy + e4 dy².
struct Terms {
    float x, y, e2, e3, e4, e5;
    const float* values;
};

inline Terms terms_of(const Lists& lists, int64_t entry, const TilePlace& at) {
    int64_t gaussian = lists.gaussians[entry];
    const float* e = lists.ellipses + 6 * gaussian;
    return {float(at.left) + 0.5f - e[0], float(at.top) + 0.5f - e[1], e[2], e[3], e[4], e[5],
            lists.channels + lists.size * gaussian};
}

// A Gaussian at some pixels: their distance from its mean, its alpha there (0 where it is not drawn), where it is drawn.
struct Sample {
    Lanes dx, dy, alpha;
    Mask drawn;
};

inline Sample sample(const Terms& g, Lanes column, Lanes row, Lanes clear) {
    Sample s;
    s.dx = column + all(g.x);
    s.dy = row + all(g.y);
    Lanes along = mul_add(s.dy, all(g.e3), s.dx * all(g.e2));
    Lanes across = mul_add(s.dy * s.dy, all(g.e4), all(g.e5));
    Lanes power = mul_add(s.dx, along, across);
    s.drawn = both(at_least(power, all(LEAST)), above(clear, all(0.0f)));
    s.alpha = keep(s.drawn, smaller(exp2(power), all(MOST)));
    return s;
}

// Entries of a list point all over memory: what will be needed soon is fetched ahead. (Not a function: the compiler takes
// one that only prefetches for one that does nothing.)
constexpr int64_t AHEAD = 24;
#define FETCH(lists, entry)                                                                       \
    __builtin_prefetch((lists).ellipses + 6 * int64_t((lists).gaussians[entry]));                 \
    __builtin_prefetch((lists).channels + (lists).size * int64_t((lists).gaussians[entry]));      \
    __builtin_prefetch((lists).masks + (lists).pairs[entry])

constexpr int CHUNK = 256;  // list entries that are sorted into the blocks' own lists at a time

struct Chunk {
    Terms terms[CHUNK];
    int32_t masks[CHUNK];
    uint8_t list[BLOCK][CHUNK + 16];
    int length[BLOCK];
};

// Write the numbers of the masks that have a block's bit to `list`, in their order; returns how many.
inline int list_of(const int32_t* masks, int count, int block, uint8_t* list) {
    int length = 0;
#if WIDTH == 16
    const __m512i bit = _mm512_set1_epi32(1 << block), step = _mm512_set1_epi32(16);
    __m512i number = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for (int i = 0; i < count; i += 16, number = _mm512_add_epi32(number, step)) {
        __mmask16 has = _mm512_test_epi32_mask(_mm512_loadu_si512(masks + i), bit);
        if (count - i < 16) has &= __mmask16((1u << (count - i)) - 1);
        __m128i packed = _mm512_cvtepi32_epi8(_mm512_maskz_compress_epi32(has, number));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(list + length), packed);
        length += __builtin_popcount(has);
    }
#else
    for (int i = 0; i < count; ++i) {
        list[length] = uint8_t(i);
        length += (masks[i] >> block) & 1;
    }
#endif
    return length;
}

// Sort the entries [begin, end) of a tile into the lists of the blocks that they touch and that are `open`.
inline void gather_chunk(const Lists& lists, int64_t begin, int64_t end, const TilePlace& at, uint32_t open, Chunk& chunk) {
    for (int64_t entry = begin; entry < end; ++entry) {
        FETCH(lists, std::min(entry + AHEAD, lists.entries - 1));
        chunk.terms[entry - begin] = terms_of(lists, entry, at);
        chunk.masks[entry - begin] = lists.masks[lists.pairs[entry]];
    }
    for (int block = 0; block < BLOCK; ++block)
        chunk.length[block] = open >> block & 1 ? list_of(chunk.masks, int(end - begin), block, chunk.list[block]) : 0;
}

// Blend a block's list into WIDTH of its pixels, all state in registers; returns whether a pixel is still open.
// `state`: these pixels' transmittances, then at steps of BLOCK the sums of each channel.
template <int FIXED>
inline bool blend(float* state, int pixel, const Chunk& chunk, int block, int given, int64_t* evaluated) {
    const int size = FIXED ? FIXED : given;
    const Lanes column = load(GRID.column + pixel), row = load(GRID.row + pixel);
    Lanes clear = load(state);
    Lanes sums[FIXED ? FIXED : 1];
    for (int c = 0; c < FIXED; ++c) sums[c] = load(state + BLOCK * (c + 1));
    bool open = any(above(clear, all(0.0f)));
    int i = 0;
    for (; open && i < chunk.length[block]; ++i) {
        const Terms& g = chunk.terms[chunk.list[block][i]];
        Sample s = sample(g, column, row, clear);
        Lanes weight = s.alpha * clear;
        Lanes after = clear - weight;
        Mask stop = both(s.drawn, at_least(all(STOP), after));
        if (__builtin_expect(any(stop), 0)) {
            weight = drop(stop, weight);
            after = select(stop, all(0.0f) - clear, after);
            open = any(above(after, all(0.0f)));
        }
        clear = after;
        for (int c = 0; c < size; ++c) {
            if constexpr (FIXED > 0) {
                sums[c] = mul_add(weight, all(g.values[c]), sums[c]);
            } else {
                float* sum = state + BLOCK * (c + 1);
                store(sum, mul_add(weight, all(g.values[c]), load(sum)));
            }
        }
    }
    *evaluated += i;
    store(state, clear);
    for (int c = 0; c < FIXED; ++c) store(state + BLOCK * (c + 1), sums[c]);
    return open;
}

// Blend a tile's whole list; returns how many vectors of pixels were evaluated.
template <int FIXED>
int64_t blend_tile(const TileState& state, const Lists& lists, int64_t tile, const TilePlace& at, Chunk& chunk) {
    uint32_t open = 0xFFFF;
    int64_t evaluated = 0;
    for (int64_t begin = lists.starts[tile]; open && begin < lists.starts[tile + 1]; begin += CHUNK) {
        gather_chunk(lists, begin, std::min<int64_t>(begin + CHUNK, lists.starts[tile + 1]), at, open, chunk);
        for (int block = 0; block < BLOCK; ++block) {
            bool left = chunk.length[block] == 0;
            for (int lane = 0; lane < BLOCK && chunk.length[block]; lane += WIDTH)
                left |= blend<FIXED>(state.block(block) + lane, BLOCK * block + lane, chunk, block, lists.size, &evaluated);
            if (!left) open &= ~(1u << block);
        }
    }
    return evaluated;
}

inline auto tile_blender(int size) {
    return size == 4 ? blend_tile<4> : size == 7 ? blend_tile<7> : blend_tile<0>;
}

// A plane of a tile, row by row. All of it at once: a vector that is loaded right after its quarters were stored waits.
inline void get_plane(const TileState& state, int plane, float* out) {
    for (int y = 0; y < TILE; ++y)
        for (int block = 0; block < 4; ++block)
            std::memcpy(out + TILE * y + 4 * block, state.pixel(4 * block, y) + BLOCK * plane, 4 * sizeof *out);
}

// Put a row of a plane into the four blocks that it crosses. `first`: the row's first pixel in that plane.
inline void put_row(const TileState& state, float* first, const float* row) {
    for (int block = 0; block < 4; ++block) std::memcpy(first + block * state.stride(), row + 4 * block, 4 * sizeof *row);
}

// The background behind a row of a tile, channel by channel.
inline void get_background(const Background& background, const TilePlace& at, int y, float behind[3][TILE]) {
    for (int x = 0; x < at.across; ++x)
        for (int c = 0; c < 3; ++c) behind[c][x] = background.at(at.frame, at.top + y, at.left + x)[c];
}

// Colour over the background, alpha, expected depth (from `middle` and from the camera) and extras of a tile.
inline void write_tile(const TileState& state, const TilePlace& at, int size, const Background& background, int64_t height,
                       int64_t width, float middle, float* colour, float* alpha, float* depth, float* from_camera,
                       float* extras) {
    float clear[PIXELS], planes[4][PIXELS], behind[3][TILE] = {};
    get_plane(state, 0, clear);
    for (int c = 0; c < 4; ++c) get_plane(state, c + 1, planes[c]);
    for (int y = 0; y < at.down; ++y) {
        const int64_t first = (at.frame * height + at.top + y) * width + at.left;
        if (y == 0 || !background.plain()) get_background(background, at, y, behind);
        for (int x = 0; x < at.across; ++x) {
            const int i = TILE * y + x;
            const float left = std::fabs(clear[i]), covered = 1.0f - left;
            for (int c = 0; c < 3; ++c) colour[3 * (first + x) + c] = planes[c][i] + left * behind[c][x];
            alpha[first + x] = covered;
            depth[first + x] = covered > 0.0f ? planes[3][i] / covered : 0.0f;
            from_camera[first + x] = covered > 0.0f ? depth[first + x] + middle : 0.0f;
        }
    }
    for (int c = 4; c < size; ++c) {
        get_plane(state, c + 1, planes[0]);
        for (int y = 0; y < at.down; ++y) {
            float* row = extras + (size - 4) * ((at.frame * height + at.top + y) * width + at.left) + c - 4;
            for (int x = 0; x < at.across; ++x) row[(size - 4) * x] = planes[0][TILE * y + x];
        }
    }
}

// ---- The gradient of blending, front to back again. With q_i = grad . value_i and S the sum over j > i of w_j q_j,
// dL/dalpha_i = T_i q_i - S / (1 - alpha_i). S starts as grad . image and loses each Gaussian's share in passing.

// Planes of the state: transmittance, S, gradient by alpha, gradient by each channel's plain sum.
inline void begin_gradients(const TileState& state, const TilePlace& at, int size, const Background& background,
                            int64_t height, int64_t width, const float* const images[4], const float* const gradients[4]) {
    begin_tile(state, at);
    float covered[TILE] = {}, total[TILE] = {}, by_cover[TILE] = {}, g[TILE] = {}, behind[3][TILE] = {};
    for (int y = 0; y < at.down; ++y) {
        const int64_t first = (at.frame * height + at.top + y) * width + at.left;
        float *row = state.pixel(0, y), *by_channel = row + 3 * BLOCK;
        if (y == 0 || !background.plain()) get_background(background, at, y, behind);
        std::copy(images[1] + first, images[1] + first + at.across, covered);
        std::copy(gradients[1] + first, gradients[1] + first + at.across, by_cover);
        std::fill(total, total + TILE, 0.0f);
        for (int c = 0; c < 3; ++c) {
            for (int x = 0; x < at.across; ++x) {
                g[x] = gradients[0][3 * (first + x) + c];
                total[x] += g[x] * (images[0][3 * (first + x) + c] - (1.0f - covered[x]) * behind[c][x]);
                by_cover[x] -= g[x] * behind[c][x];
            }
            put_row(state, by_channel + BLOCK * c, g);
        }
        for (int x = 0; x < at.across; ++x) {
            // Expected depth is a quotient: its gradient by the sum, and by the coverage it is divided by.
            g[x] = covered[x] > 0.0f ? gradients[2][first + x] / covered[x] : 0.0f;
            total[x] += g[x] * images[2][first + x] * covered[x];
            by_cover[x] -= g[x] * images[2][first + x];
        }
        put_row(state, by_channel + BLOCK * 3, g);
        for (int c = 4; c < size; ++c) {
            for (int x = 0; x < at.across; ++x) {
                g[x] = gradients[3][(size - 4) * (first + x) + c - 4];
                total[x] += g[x] * images[3][(size - 4) * (first + x) + c - 4];
            }
            put_row(state, by_channel + BLOCK * c, g);
        }
        for (int x = 0; x < TILE; ++x) total[x] += by_cover[x] * covered[x];
        put_row(state, row + BLOCK, total);
        put_row(state, row + 2 * BLOCK, by_cover);
    }
}

// Add the share of WIDTH pixels to a Gaussian's lanes: its six moments, then its channels. Returns whether a pixel may
// still be open (where a block is one vector, that is looked at only when a pixel is done).
template <int FIXED>
inline bool unblend(float* state, int pixel, const Terms& g, int given, Lanes* lanes) {
    const int size = FIXED ? FIXED : given;
    Lanes clear = load(state);
    Sample s = sample(g, load(GRID.column + pixel), load(GRID.row + pixel), clear);
    Lanes weight = s.alpha * clear;
    Lanes after = clear - weight;
    Mask stop = both(s.drawn, at_least(all(STOP), after));
    bool open = UNITS == 1 || any(above(after, all(0.0f)));
    if (__builtin_expect(any(stop), 0)) {
        weight = drop(stop, weight);
        s.alpha = drop(stop, s.alpha);
        after = select(stop, all(0.0f) - clear, after);
        open = any(above(after, all(0.0f)));
    }
    store(state, after);
    Lanes score = load(state + 2 * BLOCK);
    for (int c = 0; c < size; ++c) {
        Lanes gradient = load(state + BLOCK * (c + 3));
        score = mul_add(gradient, all(g.values[c]), score);
        lanes[MOMENTS + c] = mul_add(gradient, weight, lanes[MOMENTS + c]);
    }
    Lanes gain = weight * score;
    Lanes rest = load(state + BLOCK) - gain;
    store(state + BLOCK, rest);
    // alpha dL/dalpha; a clamped alpha passes no gradient on.
    Lanes share = less_mul(s.alpha * rest, inverse(all(1.0f) - s.alpha), gain);
    share = keep(above(all(MOST), s.alpha), share);
    Lanes by_x = share * s.dx, by_y = share * s.dy;
    lanes[0] = lanes[0] + share;
    lanes[1] = lanes[1] + by_x;
    lanes[2] = lanes[2] + by_y;
    lanes[3] = mul_add(by_x, s.dx, lanes[3]);
    lanes[4] = mul_add(by_x, s.dy, lanes[4]);
    lanes[5] = mul_add(by_y, s.dy, lanes[5]);
    return open;
}

// Room for the lanes of one Gaussian with any number of channels, and for their sums in steps of sixteen.
struct Scratch {
    explicit Scratch(int size)
        : width((MOMENTS + size + 15) / 16 * 16), lanes(new Lanes[width]), sums(new float[width]) {}
    ~Scratch() {
        delete[] lanes;
        delete[] sums;
    }
    const int width;
    Lanes* const lanes;
    float* const sums;
};

// Gradient record of one Gaussian in one tile; clears the bits of blocks that are done from `open`.
template <int FIXED>
__attribute__((always_inline)) inline void unblend_entry(const TileState& state, const Terms& g, uint32_t mask, int size, Scratch& scratch, uint32_t* open,
                          float* record) {
    constexpr int KNOWN = FIXED ? MOMENTS + FIXED : 1;
    Lanes fixed[KNOWN];
    Lanes* lanes = FIXED ? fixed : scratch.lanes;
#pragma GCC unroll 16
    for (int k = 0; k < KNOWN; ++k) fixed[k] = all(0.0f);
    for (int k = 0; k < scratch.width && !FIXED; ++k) lanes[k] = all(0.0f);
    for (; mask; mask &= mask - 1) {
        int block = __builtin_ctz(mask);
        bool left = false;
        for (int lane = 0; lane < BLOCK; lane += WIDTH)
            left |= unblend<FIXED>(state.block(block) + lane, BLOCK * block + lane, g, size, lanes);
        if (__builtin_expect(!left, 0)) *open &= ~(1u << block);
    }
    if constexpr (FIXED > 0) {
        sums_of<MOMENTS + FIXED>(lanes, record);
    } else {
        for (int k = 0; k < scratch.width; k += 16) sums_of<16>(lanes + k, scratch.sums + k);
        std::memcpy(record, scratch.sums, sizeof(float) * (MOMENTS + size));
    }
}

template <int FIXED>
void unblend_tile(const TileState& state, const Lists& lists, int64_t tile, const TilePlace& at, Scratch& scratch, float* records) {
    uint32_t open = 0xFFFF;
    const int width = MOMENTS + lists.size;
    for (int64_t entry = lists.starts[tile]; entry < lists.starts[tile + 1]; ++entry) {
        int64_t ahead = std::min(entry + AHEAD, lists.entries - 1);
        FETCH(lists, ahead);
        __builtin_prefetch(records + width * lists.pairs[ahead], 1);
        int64_t pair = lists.pairs[entry];
        uint32_t mask = lists.masks[pair] & open;
        float* record = records + width * pair;
        if (mask)
            unblend_entry<FIXED>(state, terms_of(lists, entry, at), mask, lists.size, scratch, &open, record);
        else
            std::fill(record, record + width, 0.0f);
    }
}

inline auto tile_unblender(int size) {
    return size == 4 ? unblend_tile<4> : size == 7 ? unblend_tile<7> : unblend_tile<0>;
}


// ---- Projection (EWA splatting), in double precision: a needle's determinant is a small difference of large products.

struct View {
    explicit View(const double* a)
        : fx(a[0]), fy(a[1]), cx(a[2]), cy(a[3]), width(a[4]), height(a[5]), near(a[6]), eps(a[7]), low_x(a[8]),
          high_x(a[9]), low_y(a[10]), high_y(a[11]), antialiased(a[12] > 0) {}
    double fx, fy, cx, cy, width, height, near, eps, low_x, high_x, low_y, high_y;
    bool antialiased;
};

// Call `work(first, end, view)` for the ranges of Gaussians [start, stop) of the flattened batch that belong to one frame
// of `count`; `views` [B or 1, 13].
template <class Work>
inline void for_views(int64_t start, int64_t stop, int64_t count, Doubles views, Work work) {
    for (int64_t i = start; i < stop;) {
        const int64_t frame = i / count, end = std::min(stop, (frame + 1) * count);
        const View view(views.data + views.shape[1] * std::min(frame, views.shape[0] - 1));
        work(i, end, view);
        i = end;
    }
}

inline double clamped(double value, double low, double high) { return std::min(std::max(value, low), high); }

// A Gaussian before the camera: unit quaternion and its matrix, point over depth, the Jacobian's entries and U = J R.
struct Spread {
    Spread(const float* mean, const float* quaternion, const View& view) {
        depth = -double(mean[2]);
        px = mean[0] / depth, py = mean[1] / depth;
        tx = clamped(px, view.low_x, view.high_x), ty = clamped(py, view.low_y, view.high_y);
        jx = view.fx / depth, jy = -view.fy / depth;
        jxz = jx * tx, jyz = jy * ty;
        double a = quaternion[0], b = quaternion[1], c = quaternion[2], d = quaternion[3];
        norm = 1 / std::max(std::sqrt(a * a + b * b + c * c + d * d), 1e-12);
        w = a * norm, x = b * norm, y = c * norm, z = d * norm;
        r[0] = 1 - 2 * (y * y + z * z), r[1] = 2 * (x * y - w * z), r[2] = 2 * (x * z + w * y);
        r[3] = 2 * (x * y + w * z), r[4] = 1 - 2 * (x * x + z * z), r[5] = 2 * (y * z - w * x);
        r[6] = 2 * (x * z - w * y), r[7] = 2 * (y * z + w * x), r[8] = 1 - 2 * (x * x + y * y);
        for (int k = 0; k < 3; ++k) u[k] = jx * r[k] + jxz * r[6 + k], v[k] = jy * r[3 + k] + jyz * r[6 + k];
    }
    double depth, px, py, tx, ty, jx, jy, jxz, jyz, norm, w, x, y, z, r[9], u[3], v[3];
};

// |u x v|²: the determinant of the covariance with rows u, v before the blur, without its cancellation.
inline double square_of_cross(const double* u, const double* v) {
    double x = u[1] * v[2] - u[2] * v[1], y = u[2] * v[0] - u[0] * v[2], z = u[0] * v[1] - u[1] * v[0];
    return x * x + y * y + z * z;
}

// Add to the gradient by the covariance that of the opacity's factor sqrt(determinant before / after the blur).
// `share`: d loss / d log of the factor. d log determinant / d covariance is the inverse covariance.
inline void compensation_gradient(const Spread& s, double share, double eps, const float* scale, double* gxx, double* gxy,
                                  double* gyy) {
    double u[3], v[3], xx = 0, xy = 0, yy = 0;
    for (int k = 0; k < 3; ++k) {
        u[k] = s.u[k] * scale[k], v[k] = s.v[k] * scale[k];
        xx += u[k] * u[k], xy += u[k] * v[k], yy += v[k] * v[k];
    }
    double sharp = 1 / square_of_cross(u, v), blurred = 1 / ((xx + eps) * (yy + eps) - xy * xy), half = 0.5 * share;
    *gxx += half * (yy * sharp - (yy + eps) * blurred);
    *gxy += half * xy * (blurred - sharp);
    *gyy += half * (xx * sharp - (xx + eps) * blurred);
}

// First and last tile that holds a pixel centre between low and high px.
inline bool tile_range(double low, double high, double pixels, int32_t* box) {
    double first = std::max(std::ceil(low - 0.5), 0.0), last = std::min(std::floor(high - 0.5), pixels - 1);
    box[0] = int32_t(first) / TILE, box[1] = int32_t(last) / TILE;
    return first <= last;
}

// Gradient by the quaternion before it was made a unit one, from that by the matrix.
inline void quaternion_gradient(const Spread& s, const double* g, float* out) {
    double w = s.w, x = s.x, y = s.y, z = s.z;
    double gw = 2 * (z * (g[3] - g[1]) + y * (g[2] - g[6]) + x * (g[7] - g[5]));
    double gx = 2 * (y * (g[1] + g[3]) + z * (g[2] + g[6]) + w * (g[7] - g[5]) - 2 * x * (g[4] + g[8]));
    double gy = 2 * (x * (g[1] + g[3]) + z * (g[5] + g[7]) + w * (g[2] - g[6]) - 2 * y * (g[0] + g[8]));
    double gz = 2 * (x * (g[2] + g[6]) + y * (g[5] + g[7]) + w * (g[3] - g[1]) - 2 * z * (g[0] + g[4]));
    double along = gw * w + gx * x + gy * y + gz * z;
    out[0] = float(s.norm * (gw - along * w)), out[1] = float(s.norm * (gx - along * x));
    out[2] = float(s.norm * (gy - along * y)), out[3] = float(s.norm * (gz - along * z));
}

// Gradients by mean (added to), quaternion and scale of one Gaussian, from those of centre, conic and depth. With MORE:
// also through the compensation, from that of its logarithm (`share`, 0 if there is none), and by the lens unless null.
template <bool MORE>
inline void project_gradient(const Spread& s, const View& view, const float* scale, const float* conic, const float* by_mean2d,
                             const float* by_conic, double by_depth, double share, float* by_mean, float* by_quaternion,
                             float* by_scale, double* by_lens) {
    // d covariance = -conic (d conic) conic, with the conic's off-diagonal gradient shared by both entries.
    double a = conic[0], b = conic[1], c = conic[2], ga = by_conic[0], gb = 0.5 * by_conic[1], gc = by_conic[2];
    double l0 = a * ga + b * gb, l1 = a * gb + b * gc, l2 = b * ga + c * gb, l3 = b * gb + c * gc;
    double gxx = -(l0 * a + l1 * b), gxy = -(l0 * b + l1 * c), gyy = -(l2 * b + l3 * c);
    // What is not drawn has no share, and may have no inverse either.
    if (MORE && share != 0) compensation_gradient(s, share, view.eps, scale, &gxx, &gxy, &gyy);
    // By U: 2 G U diag(s²); by s: 2 s diag(Uᵀ G U); and J R = U.
    double turn[9], gjx = 0, gjy = 0, gjxz = 0, gjyz = 0;
    for (int k = 0; k < 3; ++k) {
        double p = gxx * s.u[k] + gxy * s.v[k], q = gxy * s.u[k] + gyy * s.v[k], size = scale[k];
        by_scale[k] = float(2 * size * (s.u[k] * p + s.v[k] * q));
        p *= 2 * size * size, q *= 2 * size * size;
        turn[k] = s.jx * p, turn[3 + k] = s.jy * q, turn[6 + k] = s.jxz * p + s.jyz * q;
        gjx += p * s.r[k], gjy += q * s.r[3 + k], gjxz += p * s.r[6 + k], gjyz += q * s.r[6 + k];
    }
    quaternion_gradient(s, turn, by_quaternion);
    if (MORE && by_lens) {
        by_lens[0] = by_mean2d[0] * s.px + (gjx + gjxz * s.tx) / s.depth;
        by_lens[1] = -by_mean2d[1] * s.py - (gjy + gjyz * s.ty) / s.depth;
        by_lens[2] = by_mean2d[0], by_lens[3] = by_mean2d[1];
        // Outside the limits tx is one of them: they go with 1 / fx and shift with cx; so does ty.
        double limit_x = gjxz * s.jx / view.fx, limit_y = gjyz * s.jy / view.fy;
        if (s.px != s.tx) by_lens[0] -= limit_x * s.tx, by_lens[2] -= limit_x;
        if (s.py != s.ty) by_lens[1] -= limit_y * s.ty, by_lens[3] += limit_y;
    }
    // jx = fx / depth, jxz = jx tx; px = x / depth, and tx = px inside the limits.
    double gpx = view.fx * by_mean2d[0], gpy = -view.fy * by_mean2d[1];
    if (s.px == s.tx) gpx += gjxz * s.jx;
    if (s.py == s.ty) gpy += gjyz * s.jy;
    by_depth -= ((gjx + gjxz * s.tx) * s.jx + (gjy + gjyz * s.ty) * s.jy + gpx * s.px + gpy * s.py) / s.depth;
    by_mean[0] += float(gpx / s.depth);
    by_mean[1] += float(gpy / s.depth);
    by_mean[2] -= float(by_depth);
}

// Gaussians [start, stop) of one view; see project_range.
template <bool ANTIALIASED>
inline void project(int64_t start, int64_t stop, const View view, Floats means, Floats quaternions, Floats scales,
                    Floats opacities, Floats ellipses, Floats conics, Floats depths, Ints boxes, Longs rooms) {
    std::fill(ellipses.data + 6 * start, ellipses.data + 6 * stop, 0.0f);
    std::fill(conics.data + 3 * start, conics.data + 3 * stop, 0.0f);
    for (int64_t i = start; i < stop; ++i) {
        int32_t* box = boxes.data + 4 * i;
        box[0] = box[2] = 1, box[1] = box[3] = 0;
        rooms.data[i + 1] = 0;
        const float *mean = means.data + 3 * i, *scale = scales.data + 3 * i;
        depths.data[i] = -mean[2];
        if (-double(mean[2]) <= view.near || double(opacities.data[i]) < 1.0 / 255) continue;
        Spread s(mean, quaternions.data + 4 * i, view);
        double u[3], v[3], xx = view.eps, xy = 0, yy = view.eps;
        for (int k = 0; k < 3; ++k) {
            u[k] = s.u[k] * scale[k], v[k] = s.v[k] * scale[k];
            xx += u[k] * u[k], xy += u[k] * v[k], yy += v[k] * v[k];
        }
        double inverse = 1 / (xx * yy - xy * xy), a = yy * inverse, b = -xy * inverse, c = xx * inverse;
        double mx = view.cx + view.fx * s.px, my = view.cy - view.fy * s.py, level = std::log2(opacities.data[i]);
        if (ANTIALIASED) {
            level += 0.5 * std::log2(square_of_cross(u, v) * inverse);
            if (!(level >= LEAST)) continue;
        }
        float* conic = conics.data + 3 * i;
        conic[0] = float(a), conic[1] = float(b), conic[2] = float(c);
        float* ellipse = ellipses.data + 6 * i;
        ellipse[0] = float(mx), ellipse[1] = float(my);
        ellipse[2] = float(-0.5 * LOG2_E * a), ellipse[3] = float(-LOG2_E * b), ellipse[4] = float(-0.5 * LOG2_E * c);
        ellipse[5] = float(level);
        double reach = 2 * (LN_2 * (level - LEAST) + FOOTPRINT_SLACK);
        double half_x = std::sqrt(reach * xx), half_y = std::sqrt(reach * yy);
        int32_t found[4];
        bool shows = tile_range(mx - half_x, mx + half_x, view.width, found);
        shows = tile_range(my - half_y, my + half_y, view.height, found + 2) && shows;
        if (!shows) continue;
        std::memcpy(box, found, sizeof found);
        rooms.data[i + 1] = int64_t(box[1] - box[0] + 1) * (box[3] - box[2] + 1);
    }
}

// Gaussians [start, stop) of one view; see project_gradient_range. MORE: antialiased, or by_lenses is wanted.
template <bool MORE>
inline void project_gradients(int64_t start, int64_t stop, const View view, Floats means, Floats quaternions, Floats scales,
                              Floats opacities, Floats conics, Floats by_means2d, Floats by_conics, Floats by_depths,
                              Floats by_opacities, Floats by_means, Floats by_quaternions, Floats by_scales,
                              Doubles by_lenses) {
    for (int64_t i = start; i < stop; ++i) {
        float *by_quaternion = by_quaternions.data + 4 * i, *by_scale = by_scales.data + 3 * i;
        double* by_lens = MORE && by_lenses.shape[0] > 0 ? by_lenses.data + 4 * i : nullptr;
        if (-double(means.data[3 * i + 2]) <= view.near) {
            std::fill(by_quaternion, by_quaternion + 4, 0.0f);
            std::fill(by_scale, by_scale + 3, 0.0f);
            if (by_lens) std::fill(by_lens, by_lens + 4, 0.0);
            continue;
        }
        Spread s(means.data + 3 * i, quaternions.data + 4 * i, view);
        double share = MORE && view.antialiased ? double(by_opacities.data[i]) * opacities.data[i] : 0.0;
        project_gradient<MORE>(s, view, scales.data + 3 * i, conics.data + 3 * i, by_means2d.data + 2 * i,
                               by_conics.data + 3 * i, by_depths.data[i], share, by_means.data + 3 * i, by_quaternion,
                               by_scale, by_lens);
    }
}

// ---- Tiles. The test of a block is exact: it holds when the ellipse alpha >= 1/255 meets the rectangle of the block's
// pixel centres, up to a small slack; whether a pixel is drawn is decided again when it is blended.

// First and last column of 4 px blocks that an ellipse meets, in each of the sixteen bands of 4 px of four tile rows.
struct Bands {
    int32_t first[16], last[16];
};

// Inside: a dx² + 2 b dx dy + c dy² <= reach.
inline void band_columns(const float* ellipse, int row, Bands& bands) {
    const float a = -2 * ellipse[2], b = -ellipse[3], c = -2 * ellipse[4];
    const float reach = 2 * (ellipse[5] - LEAST + float(FOOTPRINT_SLACK * LOG2_E));
    // A long needle's determinant is lost to rounding: the least it can be told from zero makes the test generous.
    const double exact = double(a) * c - double(b) * b;
    const float determinant = float(std::max(exact, 1e-7 * a * c)), per_a = 1 / a, slack = 0.01f;
    const float tall = std::sqrt(reach * a / determinant);
    // The ellipse is widest at dy = -b/c times its half width, on either side.
    const float widest = -b / c * std::sqrt(reach * c / determinant);
    const float square = reach * per_a, bend = determinant * per_a * per_a, tilt = -b * per_a;
    float top = float(TILE * row) + 0.5f - ellipse[1], centre = ellipse[0];
    for (int band = 0; band < 16; ++band) {
        float low = top + 4.0f * float(band);
        float y0 = std::max(low, -tall), y1 = std::min(low + 3.0f, tall);
        float right = std::min(std::max(widest, y0), y1), left = std::min(std::max(-widest, y0), y1);
        float last = std::sqrt(std::max(square - bend * right * right, 0.0f)) + tilt * right + centre + slack;
        float first = -std::sqrt(std::max(square - bend * left * left, 0.0f)) + tilt * left + centre - slack;
        // Block k holds the centres 4 k + 0.5 to 4 k + 3.5. Far ends are cut off before they overflow.
        bands.first[band] = int32_t(std::ceil((std::max(first, -16.0f) - 3.5f) * 0.25f));
        int32_t end = int32_t(std::floor((std::min(std::max(last, -16.0f), 1e6f) - 0.5f) * 0.25f));
        bands.last[band] = y0 > y1 ? -16 : end;
    }
}

// Bits [first, last] of a row of 64 blocks that begins with block `base`.
inline uint64_t row_bits(int32_t first, int32_t last, int32_t base) {
    int32_t low = std::max(first - base, 0), high = std::min(last - base, 63);
    return low > high ? 0 : (~uint64_t(0) >> (63 - high)) & (~uint64_t(0) << low);
}

// Tiles of one row that four bands touch, with the masks of their blocks (bit 4 * row + column); returns how many.
inline int64_t cover_row(const int32_t* first, const int32_t* last, const int32_t* box, int64_t tile, int32_t* tiles,
                         int32_t* masks) {
    int64_t size = 0;
    for (int32_t base = box[0]; base <= box[1]; base += 16) {
        uint64_t bits[4];
        for (int k = 0; k < 4; ++k) bits[k] = row_bits(first[k], last[k], 4 * base);
        for (int32_t column = base; column <= std::min(box[1], base + 15); ++column) {
            uint32_t mask = 0;
            for (int k = 0; k < 4; ++k) mask |= uint32_t(bits[k] & 15) << (4 * k), bits[k] >>= 4;
            tiles[size] = int32_t(tile + column), masks[size] = int32_t(mask);
            size += mask != 0;
        }
    }
    return size;
}

#if WIDTH == 16

// The same for a Gaussian whose box is at most 4 x 4 tiles, as most are, with no branch: all sixteen tiles at once, of
// which those that are touched are written. `first` and `last` are of the sixteen bands of the box's rows.
inline int64_t cover_small(const Bands& bands, const int32_t* box, int64_t columns, int32_t* tiles, int32_t* masks) {
    const __m512i one = _mm512_set1_epi32(1), zero = _mm512_setzero_si512(), base = _mm512_set1_epi32(4 * box[0]);
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i row = _mm512_srli_epi32(lane, 2), column = _mm512_and_si512(lane, _mm512_set1_epi32(3));
    // Bits [first, last] of the sixteen blocks across; none where first > last.
    __m512i low = _mm512_max_epi32(_mm512_sub_epi32(_mm512_loadu_si512(bands.first), base), zero);
    __m512i stop = _mm512_sub_epi32(_mm512_add_epi32(_mm512_loadu_si512(bands.last), one), base);
    stop = _mm512_min_epi32(_mm512_max_epi32(stop, zero), _mm512_set1_epi32(16));
    __m512i bits = _mm512_andnot_si512(_mm512_sub_epi32(_mm512_sllv_epi32(one, low), one),
                                       _mm512_sub_epi32(_mm512_sllv_epi32(one, stop), one));
    // Tile (row, column) takes four bits of each of its row's four bands.
    __m512i mask = zero;
    for (int k = 0; k < 4; ++k) {
        __m512i band = _mm512_permutexvar_epi32(_mm512_add_epi32(_mm512_slli_epi32(row, 2), _mm512_set1_epi32(k)), bits);
        __m512i four = _mm512_and_si512(_mm512_srlv_epi32(band, _mm512_slli_epi32(column, 2)), _mm512_set1_epi32(15));
        mask = _mm512_or_si512(mask, _mm512_slli_epi32(four, 4 * k));
    }
    __m512i tile = _mm512_add_epi32(_mm512_mullo_epi32(_mm512_add_epi32(row, _mm512_set1_epi32(box[2])),
                                                       _mm512_set1_epi32(int32_t(columns))),
                                    _mm512_add_epi32(column, _mm512_set1_epi32(box[0])));
    __mmask16 inside = _mm512_cmple_epi32_mask(column, _mm512_set1_epi32(box[1] - box[0])) &
                       _mm512_cmple_epi32_mask(row, _mm512_set1_epi32(box[3] - box[2]));
    __mmask16 touched = _mm512_mask_test_epi32_mask(inside, mask, mask);
    // Only what was found is written: behind it lie another Gaussian's pairs.
    int count = __builtin_popcount(touched);
    __mmask16 found = __mmask16((1u << count) - 1);
    _mm512_mask_storeu_epi32(tiles, found, _mm512_maskz_compress_epi32(touched, tile));
    _mm512_mask_storeu_epi32(masks, found, _mm512_maskz_compress_epi32(touched, mask));
    return count;
}

#endif

// Tiles that a Gaussian touches, with the masks of their blocks; returns how many.
inline int64_t cover(const float* ellipse, const int32_t* box, int64_t columns, int32_t* tiles, int32_t* masks) {
    Bands bands;
    int64_t size = 0;
    for (int32_t row = box[2]; row <= box[3]; ++row) {
        int band = 4 * ((row - box[2]) % 4);
        if (band == 0) band_columns(ellipse, row, bands);
#if WIDTH == 16
        if (box[1] - box[0] < 4 && box[3] - box[2] < 4) return cover_small(bands, box, columns, tiles, masks);
#endif
        size += cover_row(bands.first + band, bands.last + band, box, row * columns, tiles + size, masks + size);
    }
    return size;
}

// ---- Spherical harmonics of degree 0 to 3.

constexpr double SH0 = 0.28209479177387814, SH1 = 0.4886025119029199;
constexpr double SH2[] = {1.0925484305920792, -1.0925484305920792, 0.31539156525252005, -1.0925484305920792,
                          0.5462742152960396};
constexpr double SH3[] = {-0.5900435899266435, 2.890611442640554,  -0.4570457994644658, 0.3731763325901154,
                          -0.4570457994644658, 1.445305721320277, -0.5900435899266435};

inline void basis(int count, double x, double y, double z, double* out) {
    double xx = x * x, yy = y * y, zz = z * z;
    out[0] = SH0;
    if (count > 1) out[1] = -SH1 * y, out[2] = SH1 * z, out[3] = -SH1 * x;
    if (count > 4) {
        out[4] = SH2[0] * x * y, out[5] = SH2[1] * y * z, out[6] = SH2[2] * (2 * zz - xx - yy);
        out[7] = SH2[3] * x * z, out[8] = SH2[4] * (xx - yy);
    }
    if (count > 9) {
        out[9] = SH3[0] * y * (3 * xx - yy), out[10] = SH3[1] * x * y * z;
        out[11] = SH3[2] * y * (4 * zz - xx - yy), out[12] = SH3[3] * z * (2 * zz - 3 * xx - 3 * yy);
        out[13] = SH3[4] * x * (4 * zz - xx - yy), out[14] = SH3[5] * z * (xx - yy);
        out[15] = SH3[6] * x * (xx - 3 * yy);
    }
}

// Sum over k of g[k] times the gradient of basis function k by (x, y, z).
inline void basis_gradient(int count, double x, double y, double z, const double* g, double* out) {
    double xx = x * x, yy = y * y, zz = z * z;
    out[0] = -SH1 * g[3], out[1] = -SH1 * g[1], out[2] = SH1 * g[2];
    if (count > 4) {
        out[0] += SH2[0] * y * g[4] - 2 * SH2[2] * x * g[6] + SH2[3] * z * g[7] + 2 * SH2[4] * x * g[8];
        out[1] += SH2[0] * x * g[4] + SH2[1] * z * g[5] - 2 * SH2[2] * y * g[6] - 2 * SH2[4] * y * g[8];
        out[2] += SH2[1] * y * g[5] + 4 * SH2[2] * z * g[6] + SH2[3] * x * g[7];
    }
    if (count > 9) {
        out[0] += 6 * SH3[0] * x * y * g[9] + SH3[1] * y * z * g[10] - 2 * SH3[2] * x * y * g[11] -
                  6 * SH3[3] * x * z * g[12] + SH3[4] * (4 * zz - 3 * xx - yy) * g[13] + 2 * SH3[5] * x * z * g[14] +
                  3 * SH3[6] * (xx - yy) * g[15];
        out[1] += 3 * SH3[0] * (xx - yy) * g[9] + SH3[1] * x * z * g[10] + SH3[2] * (4 * zz - xx - 3 * yy) * g[11] -
                  6 * SH3[3] * y * z * g[12] - 2 * SH3[4] * x * y * g[13] - 2 * SH3[5] * y * z * g[14] -
                  6 * SH3[6] * x * y * g[15];
        out[2] += SH3[1] * x * y * g[10] + 8 * SH3[2] * y * z * g[11] + SH3[3] * (6 * zz - 3 * xx - 3 * yy) * g[12] +
                  8 * SH3[4] * x * z * g[13] + SH3[5] * (xx - yy) * g[14];
    }
}

// Unit vector from the camera to a Gaussian in the frame of the harmonics, and the distance. `turn`: [3, 3], from the
// frame of the harmonics to the camera's.
struct Direction {
    Direction(const float* mean, const float* turn) {
        double a = mean[0], b = mean[1], c = mean[2];
        distance = std::max(std::sqrt(a * a + b * b + c * c), 1e-12);
        a /= distance, b /= distance, c /= distance;
        x = a * turn[0] + b * turn[3] + c * turn[6];
        y = a * turn[1] + b * turn[4] + c * turn[7];
        z = a * turn[2] + b * turn[5] + c * turn[8];
    }
    double x, y, z, distance;
};

template <int COUNT>
void colours(int64_t start, int64_t stop, int64_t count, Floats means, Floats sh, Floats turn, Floats channels) {
    double weights[COUNT];
    for (int64_t i = start; i < stop; ++i) {
        int64_t frame = i / count, n = i % count;
        Direction to(means.data + 3 * i, turn.data + 9 * frame);
        basis(COUNT, to.x, to.y, to.z, weights);
        const float* from = sh.data + ((sh.shape[0] > 1 ? frame : 0) * count + n) * COUNT * 3;
        for (int channel = 0; channel < 3; ++channel) {
            double value = 0.5;
            for (int k = 0; k < COUNT; ++k) value += weights[k] * from[3 * k + channel];
            channels.data[channels.shape[1] * i + channel] = float(std::max(value, 0.0));
        }
    }
}

template <int COUNT>
void colour_gradients(int64_t start, int64_t stop, Floats means, Floats sh, Floats turn, Floats channels, Floats by_channels,
                      Floats by_sh, Floats by_means) {
    int64_t count = sh.shape[1], frames = means.shape[0] / std::max<int64_t>(count, 1), size = channels.shape[1];
    for (int64_t frame = 0; frame < frames; ++frame) {
        const bool begins = frame == 0 || sh.shape[0] > 1;
        for (int64_t n = start; n < stop; ++n) {
            int64_t i = frame * count + n, first = ((sh.shape[0] > 1 ? frame : 0) * count + n) * COUNT * 3;
            const float* about = turn.data + 9 * frame;
            Direction to(means.data + 3 * i, about);
            double weights[COUNT], by_weight[COUNT < 4 ? 4 : COUNT] = {}, g[3];
            basis(COUNT, to.x, to.y, to.z, weights);
            for (int channel = 0; channel < 3; ++channel)
                g[channel] = channels.data[size * i + channel] > 0 ? by_channels.data[size * i + channel] : 0.0f;
            for (int k = 0; k < COUNT; ++k)
                for (int channel = 0; channel < 3; ++channel) {
                    by_weight[k] += g[channel] * sh.data[first + 3 * k + channel];
                    const float share = float(g[channel] * weights[k]);
                    float& sum = by_sh.data[first + 3 * k + channel];
                    sum = begins ? share : sum + share;
                }
            float* out = by_means.data + 3 * i;
            out[0] = out[1] = out[2] = 0.0f;
            if (COUNT == 1) continue;
            double by[3];
            basis_gradient(COUNT, to.x, to.y, to.z, by_weight, by);
            double along = by[0] * to.x + by[1] * to.y + by[2] * to.z;
            by[0] = (by[0] - along * to.x) / to.distance, by[1] = (by[1] - along * to.y) / to.distance;
            by[2] = (by[2] - along * to.z) / to.distance;
            for (int axis = 0; axis < 3; ++axis)
                out[axis] = float(about[3 * axis] * by[0] + about[3 * axis + 1] * by[1] + about[3 * axis + 2] * by[2]);
        }
    }
}


// ---- Structural similarity. Images are interleaved [H, W, 3]: a horizontal tap moves by 3. Windows are cut off at the
// border with zeros (as the 3DGS loss pads).

constexpr int RADIUS = 5, PAD = 3 * RADIUS;
constexpr float C1 = 1e-4f, C2 = 9e-4f;
// exp(-d² / (2 · 1.5²)) for d = 0 to 5, over their sum.
constexpr float TAPS[] = {0.26601171493530273f, 0.21300554275512695f, 0.10936068743467331f,
                          0.03600077331066132f, 0.00759875820949674f, 0.001028380123898387f};

inline Lanes load_some(const float* from, int64_t count) {
    if (count >= WIDTH) return load(from);
    float part[WIDTH] = {};
    std::copy(from, from + count, part);
    return load(part);
}

inline void store_some(float* to, Lanes a, int64_t count) {
    if (count >= WIDTH) return store(to, a);
    float part[WIDTH];
    store(part, a);
    std::copy(part, part + count, to);
}

// Zeros, a row and zeros again, with room for a vector that begins in the row.
struct Padded {
    explicit Padded(int64_t width) : values(new float[PAD + width + PAD + WIDTH]()) {}
    float* row() const { return values.get() + PAD; }
    Lanes blurred(int64_t i) const {
        const float* at = row() + i;
        Lanes sum = all(TAPS[0]) * load(at);
        for (int k = 1; k <= RADIUS; ++k) sum = mul_add(all(TAPS[k]), load(at - 3 * k) + load(at + 3 * k), sum);
        return sum;
    }
    std::unique_ptr<float[]> values;
};

// The rows that the window around a line meets: [first, last], counted from it.
struct Reach {
    Reach(int64_t line, int64_t height)
        : first(int(std::max<int64_t>(-RADIUS, -(line % height)))),
          last(int(std::min<int64_t>(RADIUS, height - 1 - line % height))) {}
    int first, last;
};

// Vertical window over x, y, x² + y² (similarity needs only the sum of the variances) and x y of one line.
inline void blur_products(const float* x, const float* y, int64_t width, Reach reach, Padded* out) {
    for (int64_t i = 0; i < width; i += WIDTH) {
        Lanes sx = all(0.0f), sy = sx, squares = sx, products = sx;
        for (int shift = reach.first; shift <= reach.last; ++shift) {
            Lanes tap = all(TAPS[std::abs(shift)]);
            Lanes a = load_some(x + shift * width + i, width - i), b = load_some(y + shift * width + i, width - i);
            Lanes wa = tap * a, wb = tap * b;
            sx = sx + wa;
            sy = sy + wb;
            squares = mul_add(wa, a, mul_add(wb, b, squares));
            products = mul_add(wa, b, products);
        }
        const Lanes sums[] = {sx, sy, squares, products};
        for (int k = 0; k < 4; ++k) store_some(out[k].row() + i, sums[k], width - i);
    }
}

// SSIM, and its derivatives by the blurred x, x² and x y.
struct Similarity {
    Similarity(Lanes a, Lanes b, Lanes squares, Lanes products) {
        const Lanes two = all(2.0f);
        Lanes aabb = mul_add(a, a, b * b), ab = a * b;
        Lanes inverse1 = inverse(aabb + all(C1)), inverse2 = inverse(squares - aabb + all(C2));
        Lanes quotient1 = mul_add(two, ab, all(C1)) * inverse1;
        Lanes quotient2 = mul_add(two, products - ab, all(C2)) * inverse2;
        value = quotient1 * quotient2;
        by_square = all(0.0f) - value * inverse2;
        by_product = two * quotient1 * inverse2;
        // The blurred x enters through the means and, negatively, through variance and covariance.
        Lanes through = two * quotient2 * inverse1 * less_mul(quotient1, a, b);
        by_mean = less_mul(b, by_product, less_mul(two * a, by_square, through));
    }
    Lanes value, by_mean, by_square, by_product;
};

inline Lanes magnitude(Lanes a) { return select(above(a, all(0.0f)), a, all(0.0f) - a); }

inline double total_of(Lanes a) {
    float lanes[WIDTH];
    store(lanes, a);
    double sum = 0;
    for (float lane : lanes) sum += lane;
    return sum;
}

}  // namespace LEVEL
}  // namespace

// ---- Exported kernels.

// Draw tiles [start, stop) of the flattened batch. `depth` counts from `middle` [B] m, `from_camera` from the camera.
KERNEL(forward_range)(int64_t start, int64_t stop, int64_t columns, int64_t rows, Longs tile_starts, Ints pair_list,
                      Ints gaussian_list, Ints pair_masks, Floats ellipses, Floats channels, int64_t size,
                      Floats background, Floats middle, Floats colour, Floats alpha, Floats depth, Floats from_camera,
                      Floats extras) {
    using namespace LEVEL;
    Lists lists{tile_starts.data, pair_list.data, gaussian_list.data, pair_masks.data,
                ellipses.data,    channels.data,  int(size),       pair_list.shape[0]};
    int64_t height = alpha.shape[1], width = alpha.shape[2];
    TileState state(int(size) + 1);
    std::unique_ptr<Chunk> chunk(new Chunk);
    Background behind(background);
    auto blend_all = tile_blender(int(size));
    for (int64_t tile = start; tile < stop; ++tile) {
        TilePlace at(tile, columns, rows, height, width);
        begin_tile(state, at);
        blend_all(state, lists, tile, at, *chunk);
        write_tile(state, at, int(size), behind, height, width, middle.data[at.frame], colour.data, alpha.data, depth.data,
                   from_camera.data, extras.data);
    }
}

// Write the gradient records [pairs, 6 + size] of tiles [start, stop).
KERNEL(backward_range)(int64_t start, int64_t stop, int64_t columns, int64_t rows, Longs tile_starts, Ints pair_list,
                       Ints gaussian_list, Ints pair_masks, Floats ellipses, Floats channels, int64_t size,
                       Floats background, Floats colour, Floats alpha, Floats depth, Floats extras, Floats by_colour,
                       Floats by_alpha, Floats by_depth, Floats by_extras, Floats records) {
    using namespace LEVEL;
    Lists lists{tile_starts.data, pair_list.data, gaussian_list.data, pair_masks.data,
                ellipses.data,    channels.data,  int(size),       pair_list.shape[0]};
    const float* images[4] = {colour.data, alpha.data, depth.data, extras.data};
    const float* gradients[4] = {by_colour.data, by_alpha.data, by_depth.data, by_extras.data};
    int64_t height = alpha.shape[1], width = alpha.shape[2];
    TileState state(int(size) + 3);
    Scratch scratch{int(size)};
    Background behind(background);
    auto unblend_all = tile_unblender(int(size));
    for (int64_t tile = start; tile < stop; ++tile) {
        if (tile_starts.data[tile] == tile_starts.data[tile + 1]) continue;
        TilePlace at(tile, columns, rows, height, width);
        begin_gradients(state, at, int(size), behind, height, width, images, gradients);
        unblend_all(state, lists, tile, at, scratch, records.data);
    }
}

// Project Gaussians [start, stop): ellipses [M, 6] and conics [M, 3] (zero where nothing shows), depths [M], boxes [M, 4]
// (tiles; first > last where nothing shows) and, from rooms[1] on, the tiles in each box are written.
KERNEL(project_range)(int64_t start, int64_t stop, int64_t count, Floats means, Floats quaternions, Floats scales,
                      Floats opacities, Doubles views, Floats ellipses, Floats conics, Floats depths, Ints boxes,
                      Longs rooms) {
    using namespace LEVEL;
    auto kernel = View(views.data).antialiased ? project<true> : project<false>;
    for_views(start, stop, count, views, [&](int64_t first, int64_t end, const View& view) {
        kernel(first, end, view, means, quaternions, scales, opacities, ellipses, conics, depths, boxes, rooms);
    });
}

// Gradients of Gaussians [start, stop) from those of centre [M, 2], conic [M, 3], depth [M] and opacity [M]; by_means is
// added to. by_lenses: [M, 4], each Gaussian's share in those by fx, fy, cx and cy, or empty where it is not wanted.
KERNEL(project_gradient_range)(int64_t start, int64_t stop, int64_t count, Floats means, Floats quaternions, Floats scales,
                               Floats opacities, Doubles views, Floats conics, Floats by_means2d, Floats by_conics,
                               Floats by_depths, Floats by_opacities, Floats by_means, Floats by_quaternions,
                               Floats by_scales, Doubles by_lenses) {
    using namespace LEVEL;
    // The plain case has a loop of its own, which the rest would slow down by a third.
    bool more = View(views.data).antialiased || by_lenses.shape[0] > 0;
    auto kernel = more ? project_gradients<true> : project_gradients<false>;
    for_views(start, stop, count, views, [&](int64_t first, int64_t end, const View& view) {
        kernel(first, end, view, means, quaternions, scales, opacities, conics, by_means2d, by_conics, by_depths,
               by_opacities, by_means, by_quaternions, by_scales, by_lenses);
    });
}

// List the tiles that Gaussians [start, stop) touch: tile of the frame and bits of its blocks, from offsets[i] on.
KERNEL(cover_range)(int64_t start, int64_t stop, Floats ellipses, Ints boxes, Longs offsets, int64_t columns,
                    Ints pair_tiles, Ints pair_masks, Ints counts) {
    using namespace LEVEL;
    for (int64_t i = start; i < stop; ++i) {
        int64_t at = offsets.data[i];
        counts.data[i] = int32_t(cover(ellipses.data + 6 * i, boxes.data + 4 * i, columns, pair_tiles.data + at,
                                       pair_masks.data + at));
    }
}

// Colours of Gaussians [start, stop) of the flattened batch into channels[:, 0:3].
KERNEL(colour_range)(int64_t start, int64_t stop, int64_t count, Floats means, Floats sh, Floats turn, Floats channels) {
    using namespace LEVEL;
    auto kernel = sh.shape[2] == 1 ? colours<1> : sh.shape[2] == 4 ? colours<4> : sh.shape[2] == 9 ? colours<9> : colours<16>;
    kernel(start, stop, count, means, sh, turn, channels);
}

// Gradients of Gaussians [start, stop) of one frame's N: by_sh, summed over the frames where `sh` is shared, and by_means
// are written.
KERNEL(colour_gradient_range)(int64_t start, int64_t stop, Floats means, Floats sh, Floats turn, Floats channels,
                              Floats by_channels, Floats by_sh, Floats by_means) {
    using namespace LEVEL;
    int64_t count = sh.shape[2];
    auto kernel = count == 1   ? colour_gradients<1>
                  : count == 4 ? colour_gradients<4>
                  : count == 9 ? colour_gradients<9>
                               : colour_gradients<16>;
    kernel(start, stop, means, sh, turn, channels, by_channels, by_sh, by_means);
}

// Sum the records of Gaussians [start, stop) and turn the moments into gradients (all written).
KERNEL(gather_range)(int64_t start, int64_t stop, Longs offsets, Ints counts, Floats records, Floats conics,
                     Floats opacities, int64_t size, Floats by_means2d, Floats by_conics, Floats by_opacities,
                     Floats by_depths, Floats by_channels) {
    const int64_t width = MOMENTS + size;
    std::unique_ptr<float[]> total(new float[width]);
    for (int64_t i = start; i < stop; ++i) {
        std::fill(total.get(), total.get() + width, 0.0f);
        const float* record = records.data + width * offsets.data[i];
        for (int32_t n = 0; n < counts.data[i]; ++n, record += width)
            for (int64_t k = 0; k < width; ++k) total[k] += record[k];
        float a = conics.data[3 * i], b = conics.data[3 * i + 1], c = conics.data[3 * i + 2];
        by_means2d.data[2 * i] = a * total[1] + b * total[2];
        by_means2d.data[2 * i + 1] = b * total[1] + c * total[2];
        float* by_conic = by_conics.data + 3 * i;
        by_conic[0] = -0.5f * total[3], by_conic[1] = -total[4], by_conic[2] = -0.5f * total[5];
        by_opacities.data[i] = counts.data[i] > 0 ? total[0] / opacities.data[i] : 0.0f;
        by_depths.data[i] = total[MOMENTS + 3];
        std::copy(total.get() + MOMENTS, total.get() + width, by_channels.data + size * i);
    }
}

// L1 and SSIM of rows [start, stop) of the flattened batch [B * H, W * 3]: each row's weighted sums [B * H, 2], and the
// derivatives of the weighted SSIM by blurred x, x² and x y.
KERNEL(statistics_range)(int64_t start, int64_t stop, int64_t height, Floats image, Floats target, Floats weight,
                         Doubles sums, Floats by_mean, Floats by_square, Floats by_product) {
    using namespace LEVEL;
    const int64_t width = image.shape[1];
    Padded rows[] = {Padded(width), Padded(width), Padded(width), Padded(width)};
    for (int64_t line = start; line < stop; ++line) {
        int64_t first = line * width;
        blur_products(image.data + first, target.data + first, width, Reach(line, height), rows);
        Lanes l1 = all(0.0f), ssim = all(0.0f);
        for (int64_t i = 0; i < width; i += WIDTH) {
            int64_t at = first + i, left = width - i;
            Similarity s(rows[0].blurred(i), rows[1].blurred(i), rows[2].blurred(i), rows[3].blurred(i));
            Lanes w = load_some(weight.data + at, left);
            store_some(by_mean.data + at, w * s.by_mean, left);
            store_some(by_square.data + at, w * s.by_square, left);
            store_some(by_product.data + at, w * s.by_product, left);
            Lanes difference = load_some(image.data + at, left) - load_some(target.data + at, left);
            l1 = mul_add(w, magnitude(difference), l1);
            ssim = mul_add(w, s.value, ssim);
        }
        sums.data[2 * line] = total_of(l1), sums.data[2 * line + 1] = total_of(ssim);
    }
}

// Gradient by the image of rows [start, stop), given those by L1 and SSIM.
KERNEL(gradient_range)(int64_t start, int64_t stop, int64_t height, Floats image, Floats target, Floats weight,
                       Floats by_mean, Floats by_square, Floats by_product, double by_l1, double by_ssim, Floats out) {
    using namespace LEVEL;
    const int64_t width = image.shape[1];
    Padded rows[] = {Padded(width), Padded(width), Padded(width)};
    const Lanes scale1 = all(float(by_l1)), scale2 = all(float(by_ssim)), zero = all(0.0f);
    for (int64_t line = start; line < stop; ++line) {
        int64_t first = line * width;
        const float* derivatives[] = {by_mean.data + first, by_square.data + first, by_product.data + first};
        const Reach reach(line, height);
        for (int64_t i = 0; i < width; i += WIDTH)
            for (int k = 0; k < 3; ++k) {
                Lanes sum = zero;
                for (int shift = reach.first; shift <= reach.last; ++shift)
                    sum = mul_add(all(TAPS[std::abs(shift)]),
                                  load_some(derivatives[k] + shift * width + i, width - i), sum);
                store_some(rows[k].row() + i, sum, width - i);
            }
        for (int64_t i = 0; i < width; i += WIDTH) {
            int64_t at = first + i, left = width - i;
            Lanes x = load_some(image.data + at, left), y = load_some(target.data + at, left);
            Lanes w = scale1 * load_some(weight.data + at, left), difference = x - y;
            Lanes l1 = keep(above(difference, zero), w) - keep(above(zero, difference), w);
            Lanes through = mul_add(x + x, rows[1].blurred(i), rows[0].blurred(i));
            through = mul_add(y, rows[2].blurred(i), through);
            store_some(out.data + at, mul_add(scale2, through, l1), left);
        }
    }
}

// What the instruction limit of a scene is reckoned from (see emotag.bench.limit).

// Vectors of sixteen pixels that drawing evaluates, for each tile of [start, stop): 4 x 4 blocks, or parts of them.
KERNEL(count_range)(int64_t start, int64_t stop, int64_t columns, int64_t rows, Longs tile_starts, Ints pair_list,
                    Ints gaussian_list, Ints pair_masks, Floats ellipses, Floats channels, int64_t size,
                    int64_t height, int64_t width, Doubles blocks) {
    using namespace LEVEL;
    Lists lists{tile_starts.data, pair_list.data, gaussian_list.data, pair_masks.data,
                ellipses.data,    channels.data,  int(size),       pair_list.shape[0]};
    TileState state(int(size) + 1);
    std::unique_ptr<Chunk> chunk(new Chunk);
    auto blend_all = tile_blender(int(size));
    for (int64_t tile = start; tile < stop; ++tile) {
        TilePlace at(tile, columns, rows, height, width);
        begin_tile(state, at);
        blocks.data[tile] = double(blend_all(state, lists, tile, at, *chunk)) / UNITS;
    }
}

// `rounds` times sixteen independent fused multiply-adds, to be timed: the machine's rate of vector operations.
KERNEL(multiply_add)(int64_t rounds, Floats out) {
    using namespace LEVEL;
    Lanes sums[16];
    for (int k = 0; k < 16; ++k) sums[k] = all(out.data[k]);
    const Lanes factor = all(out.data[16]), step = all(out.data[17]);
    for (int64_t n = 0; n < rounds; ++n)
#pragma GCC unroll 16
        for (int k = 0; k < 16; ++k) sums[k] = mul_add(sums[k], factor, step);
    for (int k = 0; k < 16; ++k) out.data[k] = float(total_of(sums[k]));
}

#endif
