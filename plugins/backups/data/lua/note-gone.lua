-- Note keys that go, and what of them is carried over into what is staged.
-- KEYS[1] restore · KEYS[2] what goes (list of JSON lists of keys) · KEYS[3] what staged keys begin with
-- KEYS[4] what does not come back (list of `<kind>/<id>`)
-- ARGV[1] JSON of the lists of keys · ARGV[2] JSON [{key, field, atLeast | stays}] (a text in the place of what is
--         staged there, or null: nothing is to be there)
-- ARGV[3] … what does not come back
-- Returns 1, 0 it is in another phase
if redis.call('HGET', KEYS[1], 'phase') ~= 'collecting' then return 0 end
for _, keys in ipairs(cjson.decode(ARGV[1])) do redis.call('RPUSH', KEYS[2], cjson.encode(keys)) end
local function carry(key, carried)
    local field, stays = carried.field, carried.stays
    local staged = redis.call('HGET', key, field)
    if stays == cjson.null then
        redis.call('HDEL', key, field)
    elseif stays and staged then
        redis.call('HSET', key, field, stays)
    elseif not stays and tonumber(staged or 0) < tonumber(carried.atLeast) then
        redis.call('HSET', key, field, carried.atLeast)
    end
end
for _, carried in ipairs(cjson.decode(ARGV[2])) do
    local key = KEYS[3] .. carried.key
    if redis.call('EXISTS', key) == 1 then carry(key, carried) end
end
for n = 3, #ARGV do redis.call('RPUSH', KEYS[4], ARGV[n]) end
return 1
