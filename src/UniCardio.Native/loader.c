/* libunicardio.so: picks the build for this processor once, when the first function is called, and passes calls on. The builds differ in
 * the instruction set that they were compiled for; an ahead-of-time build without one would run the 128-bit kernels everywhere. */
#define _GNU_SOURCE
#include "unicardio.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS(X) X(uc_abi) X(uc_load) X(uc_describe) X(uc_unload) X(uc_restore) X(uc_open) X(uc_push) X(uc_complete) X(uc_pull) X(uc_close)

static struct {
#define FIELD(name) __typeof__(name) *name##_;
    FUNCTIONS(FIELD)
} table;
static char problem[400];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int open_level(const char *folder, const char *level) {
    char path[4096];
    snprintf(path, sizeof path, "%slibunicardio-%s.so", folder, level);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *said = dlerror();
        snprintf(problem, sizeof problem, "%s", said == NULL ? path : said);
        return 0;
    }
#define FIND(name) \
    if ((table.name##_ = (__typeof__(name) *)dlsym(library, #name)) == NULL) { \
        snprintf(problem, sizeof problem, "%s has no %s", path, #name); \
        return 0; \
    }
    FUNCTIONS(FIND)
    return 1;
}

static void choose(void) {
    char folder[4000] = "";
    Dl_info self;
    if (dladdr((void *)choose, &self) != 0 && self.dli_fname != NULL) {
        const char *end = strrchr(self.dli_fname, '/');
        if (end != NULL)
            snprintf(folder, sizeof folder, "%.*s", (int)(end - self.dli_fname + 1), self.dli_fname);
    }
    const char *forced = getenv("UNICARDIO_LEVEL");
    if (forced != NULL && *forced != 0) {
        open_level(folder, forced);
        return;
    }
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4") && open_level(folder, "x86-64-v4"))
        return;
    if (__builtin_cpu_supports("x86-64-v3") && open_level(folder, "x86-64-v3"))
        return;
    open_level(folder, "x86-64-v2");
#else
    open_level(folder, "arm64");
#endif
}

static int ready(uc_error *error) {
    pthread_once(&once, choose);
    if (table.uc_close_ != NULL)
        return 1;
    if (error != NULL) {
        memset(error, 0, sizeof *error);
        error->code = UC_FAILED;
        snprintf(error->text, sizeof error->text, "no build of the library fits: %s", problem);
    }
    return 0;
}

int32_t uc_abi(void) { return ready(NULL) ? table.uc_abi_() : 0; }
int32_t uc_load(const char *weights, int32_t threads, uc_model **model, uc_error *error) {
    return ready(error) ? table.uc_load_(weights, threads, model, error) : UC_FAILED;
}
size_t uc_describe(const uc_model *model, char *text, size_t size) { return ready(NULL) ? table.uc_describe_(model, text, size) : 0; }
void uc_unload(uc_model *model) { if (ready(NULL)) table.uc_unload_(model); }
int32_t uc_restore(uc_model *model, const char *task, double rate, size_t count, const float *ppg, const float *bp, const float *ecg,
                   int32_t draws, uint64_t seed, float *samples, float *low, float *high, uint8_t *provenance, uc_error *error) {
    return ready(error) ? table.uc_restore_(model, task, rate, count, ppg, bp, ecg, draws, seed, samples, low, high, provenance, error) : UC_FAILED;
}
int32_t uc_open(uc_model *model, const double rates[3], uint32_t generate, int32_t draws, uc_session **session, uc_error *error) {
    return ready(error) ? table.uc_open_(model, rates, generate, draws, session, error) : UC_FAILED;
}
int32_t uc_push(uc_session *session, int32_t signal, double time, const float *samples, size_t count, uc_error *error) {
    return ready(error) ? table.uc_push_(session, signal, time, samples, count, error) : UC_FAILED;
}
int32_t uc_complete(uc_session *session, uc_error *error) { return ready(error) ? table.uc_complete_(session, error) : UC_FAILED; }
int32_t uc_pull(uc_session *session, int32_t timeout_ms, uc_frame *frame, uc_error *error) {
    return ready(error) ? table.uc_pull_(session, timeout_ms, frame, error) : UC_FAILED;
}
void uc_close(uc_session *session) { if (ready(NULL)) table.uc_close_(session); }
