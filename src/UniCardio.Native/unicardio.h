/* UniCardio for C: load, restore, live sessions. Research software, not a medical device.
 *
 * Nothing is global: models and sessions are handles, each call says in its result whether it did what it was asked, and an error is a
 * code and a text. A model may be used from several threads; a session pushes from one thread and pulls from one. Signals are float32,
 * NaN where a sample is missing; BP in mmHg, ECG in mV. */
#ifndef UNICARDIO_H
#define UNICARDIO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UC_ABI 1          /* what uc_abi() must return */
#define UC_FRAME_MAX 1024 /* most samples of a frame */

/* Results. */
enum { UC_OK = 0, UC_NONE = 1, UC_END = 2, UC_BAD_ARGUMENT = -1, UC_BAD_WEIGHTS = -2, UC_BAD_SIGNAL = -3, UC_CLOSED = -4, UC_FAILED = -99 };

/* Signals. */
enum { UC_PPG = 0, UC_BP = 1, UC_ECG = 2 };

/* Where a sample comes from; from UC_IMPUTED on the network made it. */
enum { UC_NO_SIGNAL = 0, UC_MEASURED = 1, UC_BRIDGED = 2, UC_IMPUTED = 3, UC_DENOISED = 4, UC_TRANSLATED = 5 };

typedef struct uc_model uc_model;
typedef struct uc_session uc_session;

/* What went wrong, in UTF-8, cut to fit; "" where nothing did. Every error pointer may be NULL. */
typedef struct { int32_t code; char text[508]; } uc_error;

/* What a live session gives for a hop of 125 Hz; NaN where there is no signal or no band. */
typedef struct {
    int64_t index;
    double start; /* seconds, on the clock of the pushed samples */
    int32_t count;
    int32_t is_last;
    float values[3][UC_FRAME_MAX];
    float low[3][UC_FRAME_MAX];  /* 5% of the draws */
    float high[3][UC_FRAME_MAX]; /* 95% */
    uint8_t provenance[3][UC_FRAME_MAX];
} uc_frame;

int32_t uc_abi(void);

/* The library ships weights: weights NULL. Else a file, or "recipe:1,tiny" for untrained ones, which make noise. threads 0: all cores. */
int32_t uc_load(const char *weights, int32_t threads, uc_model **model, uc_error *error);

/* What the weights say of themselves; returns the bytes that the text takes with its final 0, and writes what fits. */
size_t uc_describe(const uc_model *model, char *text, size_t size);

/* Once its sessions are closed. NULL is nothing. */
void uc_unload(uc_model *model);

/* task: "impute bp | ppg", "denoise ecg", "ppg->bp". Signals that are not given are NULL; each has count samples at rate Hz, 4 s at least.
 * samples, low, high and provenance have room for count; low, high and provenance may be NULL. */
int32_t uc_restore(uc_model *model, const char *task, double rate, size_t count, const float *ppg, const float *bp, const float *ecg,
                   int32_t draws, uint64_t seed, float *samples, float *low, float *high, uint8_t *provenance, uc_error *error);

/* rates: Hz of PPG, BP and ECG, 0 for a sensor that is not there. generate: 1 << UC_BP and the like, or-ed. draws 0: the default. */
int32_t uc_open(uc_model *model, const double rates[3], uint32_t generate, int32_t draws, uc_session **session, uc_error *error);

int32_t uc_push(uc_session *session, int32_t signal, double time, const float *samples, size_t count, uc_error *error);

/* No more samples come: what is left is computed. */
int32_t uc_complete(uc_session *session, uc_error *error);

/* The next frame: UC_OK; UC_NONE if none came within timeout_ms; UC_END after the last. */
int32_t uc_pull(uc_session *session, int32_t timeout_ms, uc_frame *frame, uc_error *error);

void uc_close(uc_session *session);

#ifdef __cplusplus
}
#endif
#endif
