"""Uses the library from Python by ctypes, with nothing else."""
import ctypes as c
import math
import sys

uc = c.CDLL(sys.argv[1])


class Error(c.Structure):
    _fields_ = [("code", c.c_int32), ("text", c.c_char * 508)]


uc.uc_load.argtypes = [c.c_char_p, c.c_int32, c.POINTER(c.c_void_p), c.POINTER(Error)]
uc.uc_unload.argtypes = [c.c_void_p]
floats = c.POINTER(c.c_float)
uc.uc_restore.argtypes = [c.c_void_p, c.c_char_p, c.c_double, c.c_size_t, floats, floats, floats, c.c_int32, c.c_uint64,
                          floats, floats, floats, c.POINTER(c.c_uint8), c.POINTER(Error)]
error, model = Error(), c.c_void_p()
assert uc.uc_load(b"recipe:1,no-such-size", 1, c.byref(model), c.byref(error)) < 0 and error.text, error.text
assert uc.uc_load(None, 1, c.byref(model), c.byref(error)) == 0, error.text
n = 750
ppg = (c.c_float * n)(*[math.sin(0.06 * i) for i in range(n)])
made, provenance = (c.c_float * n)(), (c.c_uint8 * n)()
assert uc.uc_restore(model, b"ppg->ecg", 125, n, ppg, None, None, 2, 1, made, None, None, provenance, c.byref(error)) == 0, error.text
assert all(p == 5 for p in provenance) and all(math.isfinite(x) for x in made)
uc.uc_unload(model)
print("Python: an ECG translated from a PPG,", n, "samples, all said to be translated")
