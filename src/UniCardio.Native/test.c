/* Uses unicardio.h as a program would. Prints what it found, returns 1 at the first thing that does not hold. */
#define _GNU_SOURCE
#include "unicardio.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(holds, ...) do { if (!(holds)) { fprintf(stderr, "line %d: ", __LINE__); fprintf(stderr, __VA_ARGS__); fprintf(stderr, "\n"); return 1; } } while (0)
enum { N = 1000, GAP = 400, GAP_END = 550 };

static float ppg[N], bp[N], samples[N], low[N], high[N], again[N];
static uint8_t provenance[N];
static uc_frame frame;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(void) {
    uc_error error;
    uc_model *model = NULL;
    CHECK(uc_abi() == UC_ABI, "ABI %d", uc_abi());
    CHECK(uc_load("/nowhere.safetensors", 1, &model, &error) == UC_BAD_WEIGHTS && model == NULL, "%d %s", error.code, error.text);
    CHECK(strstr(error.text, "nowhere") != NULL, "%s", error.text);
    CHECK(uc_load("recipe:1,tiny", -5, &model, &error) == UC_BAD_ARGUMENT && model == NULL, "%d %s", error.code, error.text);
    CHECK(uc_load(NULL, 1, NULL, &error) == UC_BAD_ARGUMENT, "%d", error.code);
    double start = now();
    CHECK(uc_load(NULL, 1, &model, &error) == UC_OK, "%d %s", error.code, error.text);
    char text[200];
    CHECK(uc_describe(model, text, sizeof text) > 1 && strlen(text) > 10, "no description");
    printf("loaded in %.0f ms: %.60s...\n", 1000 * (now() - start), text);
    for (int i = 0; i < N; i++) {
        double pulse = pow((1 + sin(2 * M_PI * 1.2 * i / 125)) / 2, 3);
        ppg[i] = (float)pulse;
        bp[i] = i >= GAP && i < GAP_END ? NAN : (float)(80 + 40 * pulse);
    }
    start = now();
    CHECK(uc_restore(model, "impute bp | ppg", 125, N, ppg, bp, NULL, 4, 7, samples, low, high, provenance, &error) == UC_OK, "%d %s", error.code, error.text);
    double took = now() - start, square = 0;
    for (int i = 0; i < N; i++) {
        int in = i >= GAP && i < GAP_END;
        CHECK(provenance[i] == (in ? UC_IMPUTED : UC_MEASURED), "sample %d is %d", i, provenance[i]);
        CHECK(in || samples[i] == bp[i], "measured sample %d has changed", i);
        CHECK(!in || (low[i] <= samples[i] && samples[i] <= high[i]), "sample %d is outside its band", i);
        if (in) {
            double truth = 80 + 40 * pow((1 + sin(2 * M_PI * 1.2 * i / 125)) / 2, 3);
            square += (samples[i] - truth) * (samples[i] - truth) / (GAP_END - GAP);
        }
    }
    printf("gap of 1.2 s filled in %.0f ms, RMSE %.2f mmHg\n", 1000 * took, sqrt(square));
    CHECK(sqrt(square) < 10, "the gap is off by %g mmHg", sqrt(square));
    CHECK(uc_restore(model, "impute bp | ppg", 125, N, ppg, bp, NULL, 4, 7, again, NULL, NULL, NULL, NULL) == UC_OK, "again");
    CHECK(memcmp(samples, again, sizeof samples) == 0, "the same seed gives other bits");
    CHECK(uc_restore(model, "knit bp", 125, N, ppg, bp, NULL, 4, 7, again, NULL, NULL, NULL, &error) == UC_BAD_ARGUMENT, "%d %s", error.code, error.text);
    CHECK(uc_restore(model, "impute bp | ppg", 125, 100, ppg, bp, NULL, 4, 7, again, NULL, NULL, NULL, &error) != UC_OK && error.text[0] != 0, "too short");
    const double rates[3] = { 125, 125, 0 };
    uc_session *session = NULL;
    CHECK(uc_open(model, rates, 1u << UC_BP, 2, &session, &error) == UC_OK, "%d %s", error.code, error.text);
    for (int i = 0; i < N; i += 25) {
        CHECK(uc_push(session, UC_PPG, i / 125.0, ppg + i, 25, &error) == UC_OK, "%s", error.text);
        if (i < GAP)
            CHECK(uc_push(session, UC_BP, i / 125.0, bp + i, 25, &error) == UC_OK, "%s", error.text);
    }
    CHECK(uc_push(session, 7, 0, ppg, 1, &error) == UC_BAD_ARGUMENT, "%d", error.code);
    CHECK(uc_complete(session, &error) == UC_OK, "%s", error.text);
    int frames = 0, measured = 0, generated = 0, result;
    while ((result = uc_pull(session, 20000, &frame, &error)) == UC_OK) {
        frames++;
        for (int i = 0; i < frame.count; i++) {
            measured += frame.provenance[UC_BP][i] == UC_MEASURED;
            generated += frame.provenance[UC_BP][i] >= UC_IMPUTED;
        }
    }
    CHECK(result == UC_END, "%d %s", result, error.text);
    printf("live: %d frames, %d samples measured, %d generated\n", frames, measured, generated);
    CHECK(frames > 5 && measured > 300 && generated > 100, "too few");
    uc_close(session);
    uc_close(NULL);
    uc_unload(model);
    uc_unload(NULL);
    return 0;
}
