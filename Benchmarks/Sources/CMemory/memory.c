#include "memory.h"

#if defined(__GLIBC__) || defined(__linux__)
#include <malloc.h>
void ropewalk_trim_memory(void) { malloc_trim(0); }
#else
void ropewalk_trim_memory(void) {}
#endif
