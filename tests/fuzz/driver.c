/* Calls a fuzz target with random inputs, where the compiler has no libFuzzer.

       target SEED FIRST LAST      inputs FIRST to LAST - 1, each a function of SEED and its number

   Prints the number of the input that ends the process, to be run again alone. */
#include <signal.h>
#include <unistd.h>

#include "core/rng.h"
#include "fuzz.h"

enum { MAX_BYTES = 3000, MAX_PIECE = 60 };

static const char *const WORDS[] = {
    " ", " ", "\n", "\n", "\t", "\r\n", "\x0b", "\x0c", "a", "b", "the", "word", "\xc3\xa9",
    "sixteen bytes wo", "a_word_longer_than_sixteen_bytes", "\xff", "\x80\x81", "0", "x 1 2 3\n",
};
static const char *const NUMBERS[] = {
    " ", "\n", "\n", "\t", "\r\n", "0", "1", "9", "5", "-", "+", ".", "e", "E-", "e+30", "0.", ".5",
    "123456789", "9007199254740993", "18446744073709551616", "1e-45", "3.4028236e38", "nan", "inf",
    "-Infinity", "0000000000", "4503599627370496.5", "1 2\n", "x 1 2 3\n", "\n0.1000000000000000055",
    "\n1.00000005960464477539062500000000000000000000", "\n8388608.50000000000000000000001e",
};
enum { N_WORDS = sizeof WORDS / sizeof *WORDS, N_NUMBERS = sizeof NUMBERS / sizeof *NUMBERS };
enum { N_RANDOM = 3 }; /* targets take options from the first bytes */

static uint64_t number;

static void tell(int signal_number)
{
    char text[40];
    int n = snprintf(text, sizeof text, "input %llu\n", (unsigned long long)number);
    if (write(2, text, (size_t)n) < 0)
        _exit(1);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* Of every four inputs one is random bytes, one words, one numbers, and one both with errors. */
static size_t make_input(uint64_t key, uint8_t *data)
{
    uint64_t counter = 0, mode = draw64(key, counter++);
    size_t wanted = (size_t)(draw64(key, counter++) % (mode & 4 ? MAX_BYTES : 100)), size = 0;
    while (size < wanted) {
        uint64_t draw = draw64(key, counter++);
        if (mode % 4 == 0 || size < N_RANDOM) {
            data[size++] = (uint8_t)draw;
            continue;
        }
        int is_number = mode % 4 == 2 || (mode % 4 == 3 && (draw & 8));
        const char *piece = is_number ? NUMBERS[(draw >> 8) % N_NUMBERS] : WORDS[(draw >> 8) % N_WORDS];
        memcpy(data + size, piece, strlen(piece));
        size += strlen(piece);
        if (mode % 4 == 3 && (draw & 7) == 0)
            data[size - 1] = (uint8_t)(draw >> 56);
    }
    return size;
}

int main(int argc, char **argv)
{
    MUST(argc == 4);
    uint64_t seed = strtoull(argv[1], NULL, 10), last = strtoull(argv[3], NULL, 10);
    static uint8_t data[MAX_BYTES + MAX_PIECE];
    signal(SIGABRT, tell), signal(SIGSEGV, tell), signal(SIGFPE, tell);
    for (number = strtoull(argv[2], NULL, 10); number < last; number++)
        LLVMFuzzerTestOneInput(data, make_input(draw64(mix64(seed), number), data));
    return 0;
}
