// Getting hold of a peer: where it was last, or else where it says that it has gone (docs/formats/federation.md,
// "Finding a peer that has moved"). Any thread, on an open instance.
#pragma once

#include <string>

#include "base/result.h"
#include "federation/peer_client.h"
#include "instance/instance.h"
#include "substrate/pairs.h"

namespace spl::federation {

// A client that has reached the peer and told it where this instance is. Where the peer is not at the pair's address,
// or has moved, those who may know are asked in turn: what is known here already, the configured directory, the other
// peers. The first newer announcement at whose address the peer answers becomes the pair's, by a record. Cause
// kPeerLost where none does; kTwoCopies where the peer lives twice.
Result<PeerClient> reach(const Outgoing& outgoing, const substrate::Pair& pair);

// Looks for the peer anew, at `url` where one is given, and believes it alone from then on: also where it lived twice.
// Returns where it is.
Result<std::string> refresh(const Outgoing& outgoing, const substrate::Pair& pair, const std::string& url);

// Tells all peers, the directory, and the address that this instance had before, where it is now. Who cannot be told
// finds it out later.
void announce_to_all(const Outgoing& outgoing);

}  // namespace spl::federation
