-- Find where a tenant's audit may be cut: at the end of a batch, all of it older than it has to be kept. A cut takes a
-- day or more, so that the segments that are left of them stay few.
-- KEYS[1] seals
-- ARGV[1] how long entries are kept, in ms · ARGV[2] the length of a cut, in ms · ARGV[3] the most entries of a batch
-- Returns {id of the first entry, id of the last one}, or nothing where there is nothing to cut
-- @include now
local function time_of(seal)
    return tonumber(seal[1]:match('^%d+'))
end

local function is_end(seal)
    for n = 1, #seal[2], 2 do
        if seal[2][n] == 'mac' then return true end
    end
    return false
end

local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local too_old = now() - ARGV[1]
if not first or time_of(first) > too_old - ARGV[2] then return {} end

local before = math.min(too_old, time_of(first) + ARGV[2])
for _, seal in ipairs(redis.call('XREVRANGE', KEYS[1], string.format('(%.0f-0', before), '-', 'COUNT', ARGV[3])) do
    if is_end(seal) then return { first[1], seal[1] } end
end
for _, seal in ipairs(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', ARGV[3])) do
    if is_end(seal) then return time_of(seal) < too_old and { first[1], seal[1] } or {} end
end
return {}
