//! Batched UDP towards very many peers (recvmmsg, sendmmsg, IP_PKTINFO).
