-- Have what is staged stay until it is swapped in, however long that takes: some of it.
-- KEYS[1] restore · KEYS[2] aggregates · KEYS[3] indexes of a component · KEYS[4] what staged keys begin with
-- ARGV[1] place in the list, or cursor of the set · ARGV[2] `aggregates` | `indexes` · ARGV[3] how many
-- Returns the next place or cursor, '' it is over, -1 it is in another phase, -2 something is not there any more
if redis.call('HGET', KEYS[1], 'phase') ~= 'collecting' then return -1 end
local keys, next = {}, ''
if ARGV[2] == 'aggregates' then
    local found = redis.call('LRANGE', KEYS[2], ARGV[1], ARGV[1] + ARGV[3] - 1)
    for _, list in ipairs(found) do
        for _, key in ipairs(cjson.decode(list)) do keys[#keys + 1] = key end
    end
    if #found == tonumber(ARGV[3]) then next = string.format('%d', ARGV[1] + ARGV[3]) end
else
    local found = redis.call('SSCAN', KEYS[3], ARGV[1], 'COUNT', ARGV[3])
    keys = found[2]
    if found[1] ~= '0' then next = found[1] end
end
for _, key in ipairs(keys) do
    if redis.call('PERSIST', KEYS[4] .. key) == 0 and redis.call('EXISTS', KEYS[4] .. key) == 0 then return -2 end
end
return next
