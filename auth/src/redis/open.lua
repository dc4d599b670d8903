-- ARGV: as of `begin`, then the sids to end regardless of the limit. Returns `ended` and the records of
-- the superseded sessions, `full` and the records of the sessions that use up the limit, or `blocked` and
-- the block.
local to_end = {}
for i = 8, #ARGV do to_end[ARGV[i]] = true end
if is_closed() then return { 'moved' } end
local all, old = records()
local answer = blocked()
if answer then return answer end
local record, others = begin(all, old, to_end)
return { record and 'ended' or 'full', unpack(others) }
