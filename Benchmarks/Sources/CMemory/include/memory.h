#ifndef ROPEWALK_MEMORY_H
#define ROPEWALK_MEMORY_H

/// Gives memory that was freed back to the system, where the C library can.
void ropewalk_trim_memory(void);

#endif
