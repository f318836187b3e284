/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

size_t text_utf8_step(const char *text, size_t left, uint32_t *code)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

    for (size_t more = 0; more < COUNT(forms) && left > more; more++) {
        unsigned char first = (unsigned char)text[0];
        if ((first & forms[more].mask) != forms[more].lead)
            continue;
        uint32_t value = first & (unsigned char)~forms[more].mask;
        for (size_t i = 1; i <= more; i++) {
            if (((unsigned char)text[i] & 0xc0) != 0x80)
                return 0;
            value = value << 6 | ((unsigned char)text[i] & 0x3f);
        }
        if (value < forms[more].least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
            return 0;
        *code = value;
        return more + 1;
    }
    return 0;
}

bool text_is_utf8(const char *text, size_t length, size_t *bad_at)
{
    uint32_t code;
    for (size_t i = 0, step; i < length; i += step) {
        step = text_utf8_step(text + i, length - i, &code);
        if (step == 0) {
            if (bad_at != NULL)
                *bad_at = i;
            return false;
        }
    }
    return true;
}

static size_t length_of(const char *text, size_t bytes)
{
    size_t count = 0;
    uint32_t code;
    for (size_t i = 0; i < bytes; count++) {
        size_t step = text_utf8_step(text + i, bytes - i, &code);
        i += step > 0 ? step : 1;
    }
    return count;
}

size_t text_length(const char *text)
{
    return length_of(text, strlen(text));
}

char *text_wrap(struct arena *arena, const char *text, size_t indent, size_t width)
{
    char *out = arena_strdup(arena, "");
    size_t column = indent;
    while (*text != '\0') {
        size_t bytes = strspn(text, " ") + strcspn(text + strspn(text, " "), " "), length = length_of(text, bytes);
        bool fits = column + length <= width || column == indent;
        const char *word = fits ? text : text + strspn(text, " ");
        out = fits ? arena_printf(arena, "%s%.*s", out, (int)bytes, text)
                   : arena_printf(arena, "%s\n%*s%.*s", out, (int)indent, "", (int)(text + bytes - word), word);
        column = fits ? column + length : indent + length_of(word, (size_t)(text + bytes - word));
        text += bytes;
    }
    return out;
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/* Marks that turn the direction of writing make a line read as what it is not. */
static bool turns_direction(uint32_t code)
{
    return code == 0x200e || code == 0x200f || code == 0x061c || (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

bool text_is_printable(uint32_t code)
{
    return !is_control(code) && !turns_direction(code);
}

/* How many bytes from text may be printed as they are; 0: the next *bad bytes may not. */
static size_t printable_run(const char *text, size_t length, size_t *bad)
{
    size_t run = 0;
    uint32_t code;
    while (run < length) {
        size_t step = text_utf8_step(text + run, length - run, &code);
        if (step == 0 || !text_is_printable(code)) {
            *bad = step == 0 ? 1 : step;
            break;
        }
        run += step;
    }
    return run;
}

char *text_escape(struct arena *arena, const char *text, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    char *escaped = arena_alloc(arena, 4 * length + 1), *to = escaped;
    for (size_t i = 0, bad = 0; i < length; bad = 0) {
        size_t run = printable_run(text + i, length - i, &bad);
        memcpy(to, text + i, run);
        to += run;
        i += run;
        for (; bad > 0; bad--, i++) {
            unsigned char byte = (unsigned char)text[i];
            *to++ = '\\';
            *to++ = 'x';
            *to++ = digits[byte >> 4];
            *to++ = digits[byte & 15];
        }
    }
    return escaped;
}

void text_print_escaped(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0, bad = 0; i < length; bad = 0) {
        size_t run = printable_run(text + i, length - i, &bad);
        fwrite(text + i, 1, run, out);
        i += run;
        for (; bad > 0; bad--, i++)
            fprintf(out, "\\x%02x", (unsigned char)text[i]);
    }
}

void text_print_json(FILE *out, const char *text)
{
    size_t length = strlen(text);
    uint32_t code;
    for (size_t i = 0, step; i < length; i += step) {
        step = text_utf8_step(text + i, length - i, &code);
        if (step == 0) {
            code = (unsigned char)text[i];
            step = 1;
            fprintf(out, "\\u%04x", code);
        } else if (code == '\n') {
            fputs("\\n", out);
        } else if (code == '"' || code == '\\') {
            fprintf(out, "\\%c", (int)code);
        } else if (is_control(code)) {
            fprintf(out, "\\u%04x", code);
        } else {
            fwrite(text + i, 1, step, out);
        }
    }
}

static bool is_xml_character(uint32_t code)
{
    return code == '\t' || code == '\n' || code == '\r' || (code >= 0x20 && code != 0xfffe && code != 0xffff);
}

void text_print_xml(FILE *out, const char *text)
{
    size_t length = strlen(text);
    uint32_t code;
    for (size_t i = 0, step; i < length; i += step) {
        step = text_utf8_step(text + i, length - i, &code);
        if (step == 0) {
            step = 1;
            fputs("\xef\xbf\xbd", out);
        } else if (!is_xml_character(code)) {
            fputs("\xef\xbf\xbd", out);
        } else if (is_control(code) || strchr("&<>\"'", (int)code) != NULL) {
            fprintf(out, "&#%u;", code); /* line ends too: an attribute would turn them into blanks */
        } else {
            fwrite(text + i, 1, step, out);
        }
    }
}

char *text_hex(struct arena *arena, const unsigned char *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = arena_alloc(arena, 2 * length + 1);
    for (size_t i = 0; i < length; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    return hex;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool text_unhex(struct arena *arena, const char *hex, unsigned char **bytes, size_t *length)
{
    size_t digits = strlen(hex);
    if (digits % 2 != 0)
        return false;
    unsigned char *read = arena_alloc(arena, digits / 2 + 1);
    for (size_t i = 0; i < digits / 2; i++) {
        int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        read[i] = (unsigned char)(high << 4 | low);
    }
    *bytes = read;
    *length = digits / 2;
    return true;
}

/* In a name, "\." is a dot inside a label. */
static bool is_escaped(const char *name, size_t at)
{
    size_t backslashes = 0;
    while (backslashes < at && name[at - backslashes - 1] == '\\')
        backslashes++;
    return backslashes % 2 == 1;
}

static size_t name_length(const char *name)
{
    size_t length = strlen(name);
    bool dot_ends_it = length > 1 && name[length - 1] == '.' && !is_escaped(name, length - 1);
    return dot_ends_it ? length - 1 : length;
}

char *text_name(struct arena *arena, const char *name)
{
    char *lower = arena_strndup(arena, name, name_length(name));
    for (char *c = lower; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return lower;
}

bool text_name_equal(const char *a, const char *b)
{
    size_t length = name_length(a);
    return length == name_length(b) && strncasecmp(a, b, length) == 0;
}

bool text_name_under(const char *name, const char *ancestor)
{
    size_t length = name_length(name), tail = name_length(ancestor);
    if (strcmp(ancestor, ".") == 0)
        return length > 0;
    if (length <= tail)
        return tail > 0 && text_name_equal(name, ancestor);
    size_t dot = length - tail - 1;
    return tail > 0 && name[dot] == '.' && !is_escaped(name, dot) && strncasecmp(name + dot + 1, ancestor, tail) == 0;
}

bool text_has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; *at != '\0'; at += strspn(at, " ")) {
        size_t there = strcspn(at, " ");
        if (there == length && strncmp(at, word, length) == 0)
            return true;
        at += there;
    }
    return false;
}

bool text_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

char *text_time(struct arena *arena, int64_t at, enum text_time form)
{
    static const size_t day_length = sizeof "2026-06-01" - 1;
    time_t seconds = (time_t)at;
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL)
        return arena_strdup(arena, "");
    bool rfc3339 = form == TEXT_RFC3339;
    char *text = arena_printf(arena, "%04d-%02d-%02d%c%02d:%02d:%02d%s", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                              rfc3339 ? 'T' : ' ', tm.tm_hour, tm.tm_min, tm.tm_sec, rfc3339 ? "Z" : "");
    if (form == TEXT_DAY)
        text[day_length] = '\0';
    return text;
}

struct reading {
    char *bytes;
    size_t used, room;
};

/* Reads to the end, or one byte beyond limit. */
static bool read_all(int fd, size_t limit, struct reading *reading)
{
    for (;;) {
        if (reading->used == reading->room) {
            reading->room = 2 * reading->room < limit + 1 ? 2 * reading->room : limit + 1;
            char *grown = realloc(reading->bytes, reading->room);
            if (grown == NULL)
                return false;
            reading->bytes = grown;
        }
        ssize_t got = read(fd, reading->bytes + reading->used, reading->room - reading->used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        reading->used += (size_t)got;
        if (got == 0 || reading->used > limit)
            return true;
    }
}

const char *text_past_mark(const char *text, size_t *length)
{
    size_t mark = *length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    *length -= mark;
    return text + mark;
}

char *text_read_file(struct arena *arena, const char *path, size_t limit, size_t *length, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        err_set(err, ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    struct stat status;
    size_t expected = fstat(fd, &status) == 0 && status.st_size > 0 ? (size_t)status.st_size + 1 : 4096;
    struct reading reading = {.room = expected < limit + 1 ? expected : limit + 1};
    reading.bytes = malloc(reading.room);
    char *text = NULL;
    if (reading.bytes == NULL || !read_all(fd, limit, &reading)) {
        err_set(err, ERR_INPUT, "cannot read %s: %s", path, strerror(errno));
    } else if (reading.used > limit) {
        err_set(err, ERR_INPUT, "cannot read %s: it is larger than %zu bytes", path, limit);
    } else {
        text = arena_strndup(arena, reading.bytes, reading.used);
        if (length != NULL)
            *length = reading.used;
    }
    free(reading.bytes);
    close(fd);
    return text;
}

bool text_write_file(const char *path, const char *text, size_t length, struct err *err)
{
    FILE *out = fopen(path, "we");
    if (out == NULL)
        return err_set(err, ERR_SYSTEM, "cannot write %s: %s", path, strerror(errno));
    bool written = fwrite(text, 1, length, out) == length;
    int reason = errno;
    if (fclose(out) != 0 && written) {
        written = false;
        reason = errno;
    }
    return written || err_set(err, ERR_SYSTEM, "cannot write %s: %s", path, strerror(reason));
}

int text_folder(const char *path, struct err *err)
{
    bool there = mkdir(path, 0755) == 0 || errno == EEXIST;
    int folder = there ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (folder < 0)
        err_set(err, ERR_SYSTEM, "cannot use the folder %s: %s", path, strerror(errno));
    return folder;
}
