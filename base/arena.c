/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_include)
#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#endif
#endif
#ifndef ASAN_POISON_MEMORY_REGION
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

enum { ALIGNMENT = 16, FIRST_BLOCK = 2048, LAST_BLOCK = 65536 };

struct block {
    struct block *older;
    size_t size, used;
    _Alignas(ALIGNMENT) unsigned char bytes[];
};

struct arena {
    const char *owner;
    struct block *newest;
    size_t next_size;
};

static void *must(void *memory)
{
    if (memory == NULL) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return memory;
}

struct arena *arena_new(const char *owner)
{
    struct arena *arena = must(malloc(sizeof *arena));
    *arena = (struct arena){.owner = owner, .next_size = FIRST_BLOCK};
    return arena;
}

static struct block *block_new(size_t size)
{
    if (size > SIZE_MAX - sizeof(struct block))
        must(NULL);
    struct block *block = must(calloc(1, sizeof *block + size));
    block->size = size;
    ASAN_POISON_MEMORY_REGION(block->bytes, size);
    return block;
}

/* A big piece gets a block of its own behind the newest one, whose free rest stays in use. */
static void *alloc_apart(struct arena *arena, size_t size, size_t room)
{
    struct block *block = block_new(room);
    block->used = room;
    if (arena->newest == NULL) {
        arena->newest = block;
    } else {
        block->older = arena->newest->older;
        arena->newest->older = block;
    }
    ASAN_UNPOISON_MEMORY_REGION(block->bytes, size);
    return block->bytes;
}

static void block_add(struct arena *arena)
{
    struct block *block = block_new(arena->next_size);
    block->older = arena->newest;
    arena->newest = block;
    if (arena->next_size < LAST_BLOCK)
        arena->next_size *= 2;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        must(NULL);
    /* At least one byte beyond the piece stays poisoned, so that AddressSanitizer sees a step too far. */
    size_t room = (size + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
    if (room > FIRST_BLOCK / 2 && (arena->newest == NULL || room > arena->newest->size - arena->newest->used))
        return alloc_apart(arena, size, room);
    if (arena->newest == NULL || room > arena->newest->size - arena->newest->used)
        block_add(arena);
    void *piece = arena->newest->bytes + arena->newest->used;
    arena->newest->used += room;
    ASAN_UNPOISON_MEMORY_REGION(piece, size);
    return piece;
}

void *arena_grow(struct arena *arena, const void *old, size_t old_size, size_t new_size)
{
    void *grown = arena_alloc(arena, new_size);
    size_t keep = old_size < new_size ? old_size : new_size;
    if (keep > 0)
        memcpy(grown, old, keep);
    return grown;
}

void *arena_memdup(struct arena *arena, const void *bytes, size_t size)
{
    return arena_grow(arena, bytes, size, size);
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
    return arena_grow(arena, text, length, length + 1);
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *arena_vprintf(struct arena *arena, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, fmt, args);
    if (length < 0) {
        va_end(again);
        return arena_strdup(arena, "");
    }
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, fmt, again);
    va_end(again);
    return text;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = arena_vprintf(arena, fmt, args);
    va_end(args);
    return text;
}

void arena_free(struct arena **arena)
{
    if (arena == NULL || *arena == NULL)
        return;
    for (struct block *block = (*arena)->newest, *older; block != NULL; block = older) {
        older = block->older;
        ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->size);
        free(block);
    }
    free(*arena);
    *arena = NULL;
}
