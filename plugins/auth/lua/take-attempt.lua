-- Take an attempt to log in, before the password is looked at. It counts as failed until it is given back.
-- KEYS[1] failures of the account · KEYS[2] failures of the IP address
-- ARGV[1] failures of an account and ARGV[2] of an address, from which on each is followed by a delay
-- Returns milliseconds to wait: 0 when the attempt is taken, otherwise nothing is
-- @include now
local WINDOW, FIRST, LONGEST = 900000, 30000, 900000

local at = now()
local counts, wait = {}, 0
for n = 1, 2 do
    local count, began, delayed = unpack(redis.call('HMGET', KEYS[n], 'count', 'began', 'until'))
    delayed = tonumber(delayed or 0)
    wait = math.max(wait, delayed - at)
    -- What lies back further than the window is forgotten, and so is a delay that ended that long ago.
    local is_over = at >= math.max(tonumber(began or 0), delayed) + WINDOW
    counts[n] = is_over and { value = 0, began = at } or { value = tonumber(count), began = tonumber(began) }
end
if wait > 0 then return wait end

for n = 1, 2 do
    local count = counts[n].value + 1
    local beyond = count - tonumber(ARGV[n])
    local delay = beyond < 0 and 0 or math.min(LONGEST, FIRST * 2 ^ math.min(beyond, 10))
    local began = string.format('%d', counts[n].began)
    redis.call('HSET', KEYS[n], 'count', count, 'began', began, 'until', string.format('%d', delay > 0 and at + delay or 0))
    redis.call('PEXPIRE', KEYS[n], WINDOW + delay)
end
return 0
