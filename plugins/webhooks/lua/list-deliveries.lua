-- One page of a webhook's deliveries, all or those of one status, without what they carry.
-- KEYS[1] the webhook's deliveries · KEYS[2] what the keys of deliveries begin with
-- ARGV[1] asc | desc · ARGV[2] limit · ARGV[3] score and ARGV[4] id of the last one seen, or two empty strings
-- ARGV[5] status, or an empty string · ARGV[6] how many are looked at · then the fields that are read
-- Returns {more (0 | 1), last score, last id, {field, value, …}, …}
-- @include page
local names = { unpack(ARGV, 7) }
local function read(id)
    local found = redis.call('HMGET', KEYS[2] .. id, 'id', 'status', unpack(names))
    if not found[1] or (ARGV[5] ~= '' and found[2] ~= ARGV[5]) then return nil end
    local flat = { 'id', found[1], 'status', found[2] }
    for n, name in ipairs(names) do
        if found[n + 2] then
            flat[#flat + 1] = name
            flat[#flat + 1] = found[n + 2]
        end
    end
    return flat
end

local page, more, last, last_id = page_of(KEYS[1], ARGV, read, tonumber(ARGV[6]))
return { more, last, last_id, unpack(page) }
