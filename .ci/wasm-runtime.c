/* What Embedded Swift asks of its host on bare wasm32: memory, memory copies and nothing else. */
typedef __SIZE_TYPE__ size_t;
extern unsigned char __heap_base;
static size_t top;

static void *take(size_t size, size_t alignment) {
  size_t start = top ? top : (size_t)&__heap_base;
  start = (start + alignment - 1) & ~(alignment - 1);
  size_t end = start + size;
  size_t have = __builtin_wasm_memory_size(0) * 65536;
  if (end > have && __builtin_wasm_memory_grow(0, (end - have + 65535) / 65536) == (size_t)-1) return 0;
  top = end;
  return (void *)start;
}
void *malloc(size_t size) { return take(size, 16); }
void free(void *memory) { (void)memory; }
int posix_memalign(void **memory, size_t alignment, size_t size) {
  *memory = take(size, alignment < 16 ? 16 : alignment);
  return *memory ? 0 : 12;
}
void *memcpy(void *to, const void *from, size_t n) {
  unsigned char *t = to; const unsigned char *f = from;
  while (n--) *t++ = *f++;
  return to;
}
void *memmove(void *to, const void *from, size_t n) {
  unsigned char *t = to; const unsigned char *f = from;
  if (t < f) while (n--) *t++ = *f++; else while (n--) t[n] = f[n];
  return to;
}
void *memset(void *to, int byte, size_t n) {
  unsigned char *t = to;
  while (n--) *t++ = (unsigned char)byte;
  return to;
}
int memcmp(const void *a, const void *b, size_t n) {
  const unsigned char *x = a, *y = b;
  for (; n--; x++, y++) if (*x != *y) return *x - *y;
  return 0;
}
size_t strlen(const char *text) { size_t n = 0; while (text[n]) n++; return n; }
void arc4random_buf(void *memory, size_t n) { memset(memory, 7, n); }
int putchar(int c) { return c; }
size_t __stack_chk_guard = 0x5a17;
void __stack_chk_fail(void) { __builtin_trap(); }
