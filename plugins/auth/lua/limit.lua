-- Count a request of an IP address against one limit.
-- KEYS[1] rate · KEYS[2] violations
-- ARGV[1] limit · ARGV[2] window in seconds · ARGV[3] route · ARGV[4] IP address
-- Returns {1 within the limit | 0 over it (only the violation is counted then), {limit, remaining, reset, window, wait}}
-- @include now
-- @include gcra
-- @include violation
local at = now()
local rate = gcra_peek(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), at)
if rate.over > 0 then
    count_violation(KEYS[2], { kind = 'address', ipAddress = ARGV[4], route = ARGV[3] }, at)
    return { 0, gcra_state(rate, false) }
end
gcra_take(rate)
return { 1, gcra_state(rate, true) }
