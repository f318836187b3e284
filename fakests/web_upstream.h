/* SPDX-License-Identifier: BSD-2-Clause
 * web_upstream - the HTTP server behind nginx: sees every request before its answer leaves, and answers as the host's
 * behaviour says.
 *
 * Owns:    the unix socket, the exchanges under way.
 * Borrows: the loop, the journal and the world, which must outlive it.
 * Errors:  NULL with *err filled.
 * Every request's head is bounded by WEB_REQUEST_MAX, its body by WEB_REPORT_MAX, every endless answer by
 * WEB_ENDLESS_BYTES; how many there are at once, by the connections of the front. */
#ifndef FAKESTS_WEB_UPSTREAM_H
#define FAKESTS_WEB_UPSTREAM_H

#include "fakests/web_host.h"
#include "fakests/web_report.h"
#include "fakests/web_request.h"

enum { WEB_ENDLESS_BYTES = 4 * 1024 * 1024 };

struct web_upstream;

struct web_upstream *web_upstream_new(struct loop *loop, struct journal *journal, const char *socket_path,
                                      struct err *err) NODISCARD;
void web_upstream_serve(struct web_upstream *upstream, const struct web_world *world);
const struct web_reports *web_upstream_reports(const struct web_upstream *upstream);
void web_upstream_free(struct web_upstream **upstream);

/* What a request gets. Pure. */
struct web_answer {
    int64_t status;
    const char *type, *location; /* "" or NULL: none */
    const char *body;
    enum web_body manner;
    const struct web_behaviour *behaviour; /* in force; NULL: this request does not concern the policy */
    bool policy;                           /* the host's own policy, whole, with status 200 */
};
struct web_answer web_answer_for(const struct web_host *host, int64_t count, const struct web_request *request);
bool web_asks_for_policy(const struct web_request *request);

#endif
