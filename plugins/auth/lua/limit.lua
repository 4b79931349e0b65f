-- Count a request against one limit.
-- KEYS[1] rate
-- ARGV[1] limit · ARGV[2] window in seconds
-- Returns {1 within the limit | 0 over it (nothing is counted then), {limit, remaining, reset, window, wait}}
-- @include now
-- @include gcra
local rate = gcra_peek(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), now())
if rate.over > 0 then return { 0, gcra_state(rate, false) } end
gcra_take(rate)
return { 1, gcra_state(rate, true) }
