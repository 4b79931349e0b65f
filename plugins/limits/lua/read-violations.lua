-- The refusals of a tenant for its limits, as `violation.lua` counted them: the days' keys are `<KEYS[1]>:<day>`.
-- KEYS[1] violations
-- ARGV[1] how many days
-- Returns {{violation as JSON, …} newest first, {day since the epoch, {kind, count, …}}, …} of days that have some
-- @include now
local today = math.floor(now() / 86400000)
local found = { redis.call('LRANGE', KEYS[1], 0, -1) }
for day = today, today - ARGV[1] + 1, -1 do
    local counts = redis.call('HGETALL', KEYS[1] .. ':' .. string.format('%d', day))
    if #counts > 0 then found[#found + 1] = { day, counts } end
end
return found
