-- Read a thread with the messages and summaries of all its models, at one moment. Their keys are KEYS[1] with a model's id:
-- the same slot.
-- KEYS[1] thread
-- Returns what `read-values.lua` does
-- @include dump
local models = redis.call('HGET', KEYS[1], 'models')
if not models then return {} end
local values = { KEYS[1], dump(KEYS[1]) }
for model in pairs(cjson.decode(models)) do
    for _, part in ipairs({ 'messages', 'summary' }) do
        local key = KEYS[1] .. ':model:' .. model .. ':' .. part
        values[#values + 1] = key
        values[#values + 1] = dump(key)
    end
end
return values
