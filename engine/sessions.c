/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/sessions.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/text.h"
#include "engine/connect.h"

struct kept {
    TAILQ_ENTRY(kept) link;
    struct sessions *sessions;
    struct session *session;
    char *key;
    time_t until; /* by the engine's clock, which may be moved */
};
TAILQ_HEAD(kept_list, kept);

struct sessions {
    struct loop *loop;
    const struct clock *clock;
    struct sessions_limits limits;
    struct kept_list idle, ending; /* the longest kept first */
    size_t idle_count;
    struct event *timer; /* for the first of the idle ones */
};

char *sessions_key(struct arena *arena, const struct sessions_channel *c)
{
    return arena_printf(arena, "%s|%s|%s|%s|%s|%d%d%d|%s", c->next_hop, c->host,
                        netaddr_text_port(arena, (const struct sockaddr *)&c->address->addr), c->connector,
                        c->policy != NULL ? c->policy : "", c->in_clear, c->tls_demanded, c->requiretls,
                        tls_demands_key(arena, c->demands));
}

/* ---- the end of a session ---- */

static void on_gone(void *arg, struct session *session)
{
    struct kept *k = arg;
    TAILQ_REMOVE(&k->sessions->ending, k, link);
    session_drop(&session);
    free(k);
}

static struct kept *kept_new(struct sessions *sessions, struct session *session, const char *key)
{
    struct kept *k = calloc(1, sizeof *k);
    if (k == NULL || (key != NULL && (k->key = strdup(key)) == NULL))
        abort();
    k->sessions = sessions;
    k->session = session;
    return k;
}

static void end(struct sessions *sessions, struct kept *k)
{
    TAILQ_INSERT_TAIL(&sessions->ending, k, link);
    session_quit(k->session, on_gone, k);
}

static void unkeep(struct sessions *sessions, struct kept *k)
{
    TAILQ_REMOVE(&sessions->idle, k, link);
    sessions->idle_count--;
    free(k->key);
    k->key = NULL;
}

static void end_first(struct sessions *sessions)
{
    struct kept *k = TAILQ_FIRST(&sessions->idle);
    unkeep(sessions, k);
    end(sessions, k);
}

void sessions_end_kept(struct sessions *sessions)
{
    while (!TAILQ_EMPTY(&sessions->idle))
        end_first(sessions);
}

void sessions_end(struct sessions *sessions, struct session **session)
{
    if (*session != NULL)
        end(sessions, kept_new(sessions, *session, NULL));
    *session = NULL;
}

/* ---- time ---- */

static void set_timer(struct sessions *sessions)
{
    struct kept *first = TAILQ_FIRST(&sessions->idle);
    if (first == NULL) {
        event_del(sessions->timer);
        return;
    }
    time_t left = first->until - clock_now(sessions->clock);
    struct timeval pause = connect_timeval(left > 0 ? (double)left : 0);
    evtimer_add(sessions->timer, &pause);
}

static void on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
    struct sessions *sessions = arg;
    while (!TAILQ_EMPTY(&sessions->idle) && TAILQ_FIRST(&sessions->idle)->until <= clock_now(sessions->clock))
        end_first(sessions);
    set_timer(sessions);
}

/* ---- in and out ---- */

static bool may_be_kept(const struct sessions *sessions, const struct session *session)
{
    return sessions->limits.keep_s > 0 && !session_is_over(session) &&
           session_transactions(session) < sessions->limits.transactions;
}

void sessions_give(struct sessions *sessions, struct session **session, const char *key)
{
    if (*session == NULL || !may_be_kept(sessions, *session)) {
        sessions_end(sessions, session);
        return;
    }
    struct kept *k = kept_new(sessions, *session, key);
    k->until = clock_now(sessions->clock) + (time_t)(sessions->limits.keep_s + 0.5);
    TAILQ_INSERT_TAIL(&sessions->idle, k, link);
    *session = NULL;
    if (++sessions->idle_count > sessions->limits.kept)
        end_first(sessions);
    set_timer(sessions);
}

static bool is_fit(const struct sessions *sessions, const struct kept *k, const char *key)
{
    return !session_is_over(k->session) && k->until > clock_now(sessions->clock) && strcmp(k->key, key) == 0;
}

/* The one used last is the likeliest to be still open. */
struct session *sessions_take(struct sessions *sessions, const char *key)
{
    struct kept *k;
    TAILQ_FOREACH_REVERSE(k, &sessions->idle, kept_list, link)
    {
        if (!is_fit(sessions, k, key))
            continue;
        struct session *session = k->session;
        unkeep(sessions, k);
        free(k);
        return session;
    }
    return NULL;
}

/* ---- birth and death ---- */

struct sessions *sessions_new(struct loop *loop, const struct clock *clock, const struct sessions_limits *limits)
{
    struct sessions *sessions = calloc(1, sizeof *sessions);
    if (sessions == NULL)
        abort();
    *sessions = (struct sessions){.loop = loop, .clock = clock, .limits = *limits};
    TAILQ_INIT(&sessions->idle);
    TAILQ_INIT(&sessions->ending);
    sessions->timer = evtimer_new(loop_base(loop), on_timer, sessions);
    if (sessions->timer == NULL)
        abort();
    return sessions;
}

static void drop_all(struct kept_list *list)
{
    struct kept *k;
    while ((k = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, k, link);
        session_drop(&k->session);
        free(k->key);
        free(k);
    }
}

void sessions_free(struct sessions **sessions)
{
    if (*sessions == NULL)
        return;
    drop_all(&(*sessions)->idle);
    drop_all(&(*sessions)->ending);
    event_free((*sessions)->timer);
    free(*sessions);
    *sessions = NULL;
}
