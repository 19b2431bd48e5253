/* How every call of this target reports: a result >= 0, or -errno, taken before anything else can change it. */
#ifndef CLINUX_RESULT_H
#define CLINUX_RESULT_H

#include <errno.h>

#define RESULT(call)                    \
    ({                                  \
        long result_ = (call);          \
        result_ < 0 ? -errno : result_; \
    })

/* For calls that a signal may interrupt and that can simply be made again. */
#define RETRY(call)                            \
    ({                                         \
        long result_;                          \
        do result_ = (call);                   \
        while (result_ < 0 && errno == EINTR); \
        result_ < 0 ? -errno : result_;        \
    })

#endif
