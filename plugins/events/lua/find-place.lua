-- Find where a reader goes on: at the end, or after the event that he has seen last.
-- KEYS[1] events
-- ARGV[1] place of that event, or ''
-- Returns {place, 1 when events after it may be gone}
local function is_before(one, other)
    local time, sequence = one:match('^(%d+)-(%d+)$')
    local other_time, other_sequence = other:match('^(%d+)-(%d+)$')
    if time ~= other_time then return tonumber(time) < tonumber(other_time) end
    return tonumber(sequence) < tonumber(other_sequence)
end

local last, added, length = '0-0', 0, 0
if redis.call('EXISTS', KEYS[1]) == 1 then
    local info, of = redis.call('XINFO', 'STREAM', KEYS[1]), {}
    for n = 1, #info, 2 do of[info[n]] = info[n + 1] end
    last, added, length = of['last-generated-id'], of['entries-added'], of['length']
end
local seen = ARGV[1]
if seen == '' then return { last, 0 } end
-- The store has lost what it had when the reader saw that.
if is_before(last, seen) then return { last, 1 } end
if added == length or #redis.call('XRANGE', KEYS[1], seen, seen) == 1 then return { seen, 0 } end
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
if first and is_before(first[1], seen) then return { seen, 0 } end
return { seen, 1 }
