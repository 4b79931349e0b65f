-- Take the next keys away; when all are gone, put the next staged ones in their place. An aggregate's keys go and come
-- together.
-- KEYS[1] restore · KEYS[2] what goes · KEYS[3] what the tenant's keys begin with · KEYS[4] what staged keys begin with
-- then aggregates and indexes of each component
-- ARGV[1] how many at least
-- Returns 1 there is more, 0 nothing is left, -1 it is in another phase
if redis.call('HGET', KEYS[1], 'phase') ~= 'swapping' then return -1 end
local most, count = tonumber(ARGV[1]), 0

local function each(list, visit)
    while count < most do
        local keys = redis.call('LPOP', list)
        if not keys then return end
        for _, key in ipairs(cjson.decode(keys)) do
            visit(key)
            count = count + 1
        end
    end
end
local function put(key)
    if redis.call('EXISTS', KEYS[4] .. key) == 1 then redis.call('RENAME', KEYS[4] .. key, KEYS[3] .. key) end
end

each(KEYS[2], function(key) redis.call('UNLINK', KEYS[3] .. key) end)
for n = 5, #KEYS, 2 do
    each(KEYS[n], put)
    if count < most then
        for _, key in ipairs(redis.call('SPOP', KEYS[n + 1], most - count)) do
            put(key)
            count = count + 1
        end
    end
end
return count >= most and 1 or 0
