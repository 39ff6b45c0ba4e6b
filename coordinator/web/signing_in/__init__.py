# SPDX-License-Identifier: Apache-2.0
"""Signing in without a client certificate: OpenID Connect, authorisation code flow with PKCE.

``exchanging`` talks to the provider within bounds of time and size; ``provider`` knows its addresses and
keys; ``tokens`` judges what it says about somebody, without looking at anything; ``keeping`` keeps what a
browser's one cookie stands for, in memory; ``roles`` says what somebody is let in as; ``flow`` is the three
addresses by which people come and go.
"""
